import { z } from 'zod';
import type { EventStore } from '../../../domain/ports/event-store.ts';
import { defineRoute, respond } from '../../define-route.ts';
import { position } from '../../fields.ts';
import { DESCRIPTION, TITLE, VERSION } from '../../openapi.ts';

/** The named parts of the gateway (R10). */
export const COMPONENTS = [
  'tee_runtime',
  'crypto_proofs',
  'zk_predicates',
  'market_pricing',
  'hetero_quorum',
  'onion_routing',
  'bayesian_trust',
  'vrf_topology',
] as const;

export interface Build {
  readonly version: string;
  readonly node: string;
}

export const getInfo = ({ store, build }: { store: Pick<EventStore, 'head'>; build: Build }) =>
  defineRoute(
    {
      method: 'GET',
      path: '/v1/system/info',
      summary: 'What this is, and how far the log has got',
      tag: 'system',
      access: 'any',
      responses: {
        200: z.object({
          title: z.string(),
          version: z.string(),
          description: z.string(),
          components: z.array(z.enum(COMPONENTS)),
          build: z.object({ version: z.string(), node: z.string() }),
          position,
        }),
      },
      errors: [],
    },
    async () =>
      respond(200, {
        title: TITLE,
        version: VERSION,
        description: DESCRIPTION,
        components: [...COMPONENTS],
        build,
        position: String((await store.head()).position),
      }),
  );
