import { z } from 'zod';
import { reject } from '../../../domain/errors.ts';
import { admits, fullOpinion, isLow, isUncertain } from '../../../domain/provider/opinion.ts';
import { isBarred } from '../../../domain/provider/risk.ts';
import { PROBATION_SHARE } from '../../../domain/tiers.ts';
import { getTrust, type TrustRecord } from '../../../projections/trust/queries.ts';
import { defineRoute, respond } from '../../define-route.ts';
import type { RouteDependencies } from '../../dependencies.ts';
import { idOf, instant, position } from '../../fields.ts';
import { afterQuery, readAfter } from '../../read-after.ts';

const scoreSchema = z.object({
  entity_id: z.string(),
  alpha: z.number(),
  beta: z.number(),
  mean: z.number().describe('α ÷ (α + β), undecayed'),
  uncertainty: z.number(),
  flagged: z.boolean().describe('uncertainty strictly above 0.2'),
  low: z.boolean().describe('mean below 0.5'),
  tier: z.enum(['trusted', 'probation', 'refused']),
  score: z.number().describe('of the award gate, which forgets; read at this moment'),
  barred: z.boolean().describe('a record worse than none: next to no work for 30 days, or a bond'),
  bonded: z.boolean().describe('a bond stands for it until its record speaks for itself'),
  probation_share: z.number().describe('of newcomers, in auctions opened before risk was priced'),
  updated_at: instant,
  position,
});

/** To 6 places: what a second of forgetting changes is far below, so a second look sees the same. */
const toPlaces = (score: number): number => Math.round(score * 1e6) / 1e6;

/** Belief and flags count all evidence ever (settled 17); only the award gate's score and verdict forget. */
const shownScore = (trust: TrustRecord, now: string): z.input<typeof scoreSchema> => {
  const opinion = fullOpinion(trust.evidence);
  const { admitted, newcomer, score } = admits(trust.evidence, now, trust.bonded);
  return {
    entity_id: trust.providerId,
    alpha: trust.positive + 1,
    beta: trust.negative + 1,
    mean: opinion.mean,
    uncertainty: opinion.uncertainty,
    flagged: isUncertain(opinion),
    low: isLow(opinion),
    tier: !admitted ? 'refused' : newcomer ? 'probation' : 'trusted',
    score: toPlaces(score),
    barred: isBarred(trust.evidence, now),
    bonded: trust.bonded,
    probation_share: PROBATION_SHARE,
    updated_at: trust.updatedAt,
    position: trust.position,
  };
};

/** Reading a score never changes it: everything but the evidence itself is derived here. */
export const getScore = ({ db, checkpoints, now }: Pick<RouteDependencies, 'db' | 'checkpoints' | 'now'>) =>
  defineRoute(
    {
      method: 'GET',
      path: '/v1/fog/reputation/score',
      summary: 'Trust in a provider, from verified evidence alone',
      tag: 'reputation',
      access: 'any',
      query: z.strictObject({
        entity_id: idOf('provider'),
        entity_type: z.literal('provider').optional(),
        ...afterQuery,
      }),
      responses: { 200: scoreSchema },
      errors: ['RESOURCE_NOT_FOUND'],
    },
    async (_context, { query }) => {
      const ready = await readAfter(checkpoints, ['trust'], query.after);
      if (!ready.ok) return ready;
      const trust = await getTrust(db, query.entity_id);
      if (!trust) return reject('RESOURCE_NOT_FOUND', `no entity ${query.entity_id}`);
      return respond(200, shownScore(trust, now()));
    },
  );
