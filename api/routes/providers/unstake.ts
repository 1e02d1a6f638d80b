import { z } from 'zod';
import { defineRoute, respond } from '../../define-route.ts';
import type { RouteDependencies } from '../../dependencies.ts';
import { amount, idOf, micro, position } from '../../fields.ts';
import { asOwner } from './own-provider.ts';
import { shownUnbonding, unbondingSchema } from './provider.ts';

/** Asks stake back: it stands behind no bid from now on, and within reach of a fraud for a day. */
export const unbondStake = ({ providers }: Pick<RouteDependencies, 'providers'>) =>
  defineRoute(
    {
      method: 'POST',
      path: '/v1/providers/{provider_id}/unstake',
      summary: 'Ask stake back, which takes 24 hours',
      tag: 'providers',
      access: ['provider'],
      params: z.strictObject({ provider_id: idOf('provider') }),
      body: z.strictObject({ amount }),
      responses: { 200: z.object({ stake: micro, unbonding: unbondingSchema, position }) },
      errors: ['INSUFFICIENT_BALANCE', 'CONFLICT', 'RESOURCE_NOT_FOUND'],
    },
    async (context, { params, body }) => {
      const providerId = params.provider_id;
      const outcome = await asOwner(providers, context, providerId, (caller) =>
        providers.execute(providerId, { type: 'unbond-stake', amount: body.amount }, caller),
      );
      if (!outcome.ok) return outcome;
      return respond(200, {
        stake: outcome.provider.stake,
        unbonding: shownUnbonding(outcome.provider.unbonding),
        position: outcome.position ?? '0',
      });
    },
  );
