import { z } from 'zod';
import { ZERO } from '../../../domain/money.ts';
import { defineRoute, respond } from '../../define-route.ts';
import type { RouteDependencies } from '../../dependencies.ts';
import { idOf, micro, position } from '../../fields.ts';
import { asOwner } from './own-provider.ts';

/** Gives a bond back that stands behind nothing under way. */
export const withdrawBond = ({ bonds, providers }: Pick<RouteDependencies, 'bonds' | 'providers'>) =>
  defineRoute(
    {
      method: 'POST',
      path: '/v1/providers/{provider_id}/bond/withdraw',
      summary: 'Withdraw a bond, while nothing won under it is under way',
      tag: 'providers',
      access: ['provider'],
      params: z.strictObject({ provider_id: idOf('provider') }),
      body: z.strictObject({}),
      responses: { 200: z.object({ bond: micro, position }) },
      errors: ['CONFLICT', 'RESOURCE_NOT_FOUND'],
    },
    async (context, { params }) => {
      const providerId = params.provider_id;
      const outcome = await asOwner(providers, context, providerId, (caller) =>
        bonds.withdraw(providerId, caller),
      );
      if (!outcome.ok) return outcome;
      return respond(200, {
        bond: outcome.provider.bond?.amount ?? ZERO,
        position: outcome.position ?? '0',
      });
    },
  );
