import { z } from 'zod';
import { ZERO } from '../../../domain/money.ts';
import { defineRoute, respond } from '../../define-route.ts';
import type { RouteDependencies } from '../../dependencies.ts';
import { amount, idOf, micro, position } from '../../fields.ts';
import { asOwner } from './own-provider.ts';

/** A bond buys a first chance after a bar (settled 39): the provider may bid at once, priced a little above a newcomer. */
export const postBond = ({ providers, tRef }: Pick<RouteDependencies, 'providers' | 'tRef'>) =>
  defineRoute(
    {
      method: 'POST',
      path: '/v1/providers/{provider_id}/bond',
      summary:
        'Post a bond for a barred provider: back once its record speaks for itself, lost by a new fault',
      tag: 'providers',
      access: ['provider'],
      params: z.strictObject({ provider_id: idOf('provider') }),
      body: z.strictObject({ amount }),
      responses: { 200: z.object({ bond: micro, position }) },
      errors: ['CONFLICT', 'INSUFFICIENT_BALANCE', 'RESOURCE_NOT_FOUND'],
    },
    async (context, { params, body }) => {
      const providerId = params.provider_id;
      const outcome = await asOwner(providers, context, providerId, (caller) =>
        providers.execute(providerId, { type: 'post-bond', amount: body.amount, tRef }, caller),
      );
      if (!outcome.ok) return outcome;
      return respond(200, {
        bond: outcome.provider.bond?.amount ?? ZERO,
        position: outcome.position ?? '0',
      });
    },
  );
