import { z } from 'zod';
import { reject } from '../../../domain/errors.ts';
import { getProvider } from '../../../projections/providers/queries.ts';
import { getTrust } from '../../../projections/trust/queries.ts';
import { defineRoute, respond } from '../../define-route.ts';
import type { RouteDependencies } from '../../dependencies.ts';
import { idOf } from '../../fields.ts';
import { afterQuery, readAfter } from '../../read-after.ts';
import { providerSchema, shownProvider } from './provider.ts';

export const getProviderState = ({
  db,
  checkpoints,
  tRef,
}: Pick<RouteDependencies, 'db' | 'checkpoints' | 'tRef'>) =>
  defineRoute(
    {
      method: 'GET',
      path: '/v1/providers/{provider_id}',
      summary: 'A provider and whether it is listed',
      tag: 'providers',
      access: 'any',
      params: z.strictObject({ provider_id: idOf('provider') }),
      query: z.strictObject(afterQuery),
      responses: { 200: providerSchema },
      errors: ['RESOURCE_NOT_FOUND'],
    },
    async (_context, { params, query }) => {
      const ready = await readAfter(checkpoints, ['providers', 'trust'], query.after);
      if (!ready.ok) return ready;
      const [provider, trust] = await Promise.all([
        getProvider(db, params.provider_id),
        getTrust(db, params.provider_id),
      ]);
      if (!provider) return reject('RESOURCE_NOT_FOUND', `no provider ${params.provider_id}`);
      return respond(200, shownProvider(provider, trust ?? { positive: 0, negative: 0 }, tRef));
    },
  );
