import { z } from 'zod';
import { PROBATION_SHARE } from '../../../domain/tiers.ts';
import { defineRoute, respond } from '../../define-route.ts';
import type { RouteDependencies } from '../../dependencies.ts';
import { amount, idOf, micro, position } from '../../fields.ts';
import { asOwner } from './own-provider.ts';

export const lockStake = ({ providers }: Pick<RouteDependencies, 'providers'>) =>
  defineRoute(
    {
      method: 'POST',
      path: '/v1/providers/{provider_id}/stake',
      summary: 'Lock stake',
      tag: 'providers',
      access: ['provider'],
      params: z.strictObject({ provider_id: idOf('provider') }),
      body: z.strictObject({ amount }),
      responses: {
        200: z.object({
          stake: micro,
          probation_share: z.number().describe('of newcomers, in auctions opened before risk was priced'),
          position,
        }),
      },
      errors: ['INSUFFICIENT_BALANCE', 'RESOURCE_NOT_FOUND'],
    },
    async (context, { params, body }) => {
      const providerId = params.provider_id;
      const outcome = await asOwner(providers, context, providerId, (caller) =>
        providers.execute(providerId, { type: 'lock-stake', amount: body.amount }, caller),
      );
      if (!outcome.ok) return outcome;
      return respond(200, {
        stake: outcome.provider.stake,
        probation_share: PROBATION_SHARE,
        position: outcome.position ?? '0',
      });
    },
  );
