import { z } from 'zod';
import { FINDINGS } from '../../../domain/observation/evidence.ts';
import { defineRoute, respond } from '../../define-route.ts';
import type { RouteDependencies } from '../../dependencies.ts';
import { idOf, instant, queryNumber, sha256 } from '../../fields.ts';
import { nodeOf } from '../topologies/own-node.ts';

/** What the observers of a node saw, round by round, before it is made a proof of. */
export const listObservations = ({
  checkpoints,
  db,
  observed,
  store,
}: Pick<RouteDependencies, 'checkpoints' | 'db' | 'observed' | 'store'>) =>
  defineRoute(
    {
      method: 'GET',
      path: '/v1/fog/proofs/observations',
      summary: 'What observers saw of a node in the last day',
      tag: 'proofs',
      access: ['provider', 'operator', 'auditor'],
      query: z.strictObject({
        node_id: idOf('provider').optional().describe('your only node when left out'),
        limit: queryNumber(z.int().min(1).max(500)).default(50).describe('of rounds'),
      }),
      responses: {
        200: z.object({
          node_id: z.string(),
          rounds: z
            .array(
              z.object({
                from: instant.describe('begin of the window'),
                round: z.int().nonnegative(),
                rounds: z.int().positive().describe('of the window'),
                artifact: sha256,
                beacon: z.object({
                  size: z.string(),
                  root: sha256,
                  source: z
                    .enum(['anchored', 'signed'])
                    .describe('whether a chain held this head of the log when the round was drawn from it'),
                }),
                observers: z.array(
                  z.object({
                    node_id: z.string(),
                    finding: z
                      .enum(FINDINGS)
                      .nullable()
                      .describe('null as long as the observer has signed nothing'),
                    asked_at: instant.nullable(),
                    answered_at: instant.nullable(),
                  }),
                ),
              }),
            )
            .describe('newest first'),
        }),
      },
      errors: ['RESOURCE_NOT_FOUND'],
    },
    async ({ principal }, { query }) => {
      const node = await nodeOf({ checkpoints, db, store }, principal, query.node_id);
      if (!node.ok) return node;
      const { providerId } = node.value;
      const rounds = await observed.newest(providerId, query.limit);
      return respond(200, {
        node_id: providerId,
        rounds: rounds.map(({ terms, round, beacon, source, receipts, findings }) => ({
          from: terms.from,
          round,
          rounds: terms.rounds,
          artifact: terms.artifact,
          beacon: { ...beacon, source },
          observers: terms.observers.map(({ id, key }) => {
            const place = receipts.findIndex(({ observer }) => observer === key);
            return {
              node_id: id,
              finding: findings[place] ?? null,
              asked_at: receipts[place]?.askedAt ?? null,
              answered_at: receipts[place]?.answeredAt ?? null,
            };
          }),
        })),
      });
    },
  );
