import { z } from 'zod';
import { defineRoute, respond } from '../../define-route.ts';
import type { RouteDependencies } from '../../dependencies.ts';
import { idOf, micro, position } from '../../fields.ts';
import { asOwner } from './own-provider.ts';
import { shownUnbonding, unbondingSchema } from './provider.ts';

/** Pays out the stake that has unbonded. */
export const withdrawStake = ({ providers }: Pick<RouteDependencies, 'providers'>) =>
  defineRoute(
    {
      method: 'POST',
      path: '/v1/providers/{provider_id}/withdraw',
      summary: 'Withdraw the stake that has unbonded',
      tag: 'providers',
      access: ['provider'],
      params: z.strictObject({ provider_id: idOf('provider') }),
      body: z.strictObject({}),
      responses: { 200: z.object({ stake: micro, unbonding: unbondingSchema, position }) },
      errors: ['CONFLICT', 'RESOURCE_NOT_FOUND'],
    },
    async (context, { params }) => {
      const providerId = params.provider_id;
      const outcome = await asOwner(providers, context, providerId, (caller) =>
        providers.execute(providerId, { type: 'withdraw-stake' }, caller),
      );
      if (!outcome.ok) return outcome;
      return respond(200, {
        stake: outcome.provider.stake,
        unbonding: shownUnbonding(outcome.provider.unbonding),
        position: outcome.position ?? '0',
      });
    },
  );
