import { z } from 'zod';
import { openedBid, winner } from '../auction/schema.ts';
import {
  hex,
  id,
  instant,
  listOf,
  measure,
  micro,
  name,
  schemaOf,
  share,
  text,
  tierName,
  version,
} from '../schema.ts';
import type { QuorumEvent } from './events.ts';

/** One broken rule of a set. */
export const violation = z.strictObject({
  rule: z.enum([
    'member-count',
    'distinct-owner',
    'max-per-type',
    'distinct-asn',
    'distinct-region',
    'minimum-types',
    'availability',
  ]),
  have: measure,
  need: measure,
  members: listOf(name),
  recommendation: text,
});

const epoch = z.int().positive();

/** The stored events of a quorum. */
export const quorumEventSchema = schemaOf<QuorumEvent>()(
  z.discriminatedUnion('type', [
    z.strictObject({
      type: z.literal('quorum.formed'),
      machineVersion: version,
      quorumId: id,
      jobId: id,
      auctionId: id,
      tier: tierName,
      requiredUp: z.int().positive(),
      target: share,
      ceiling: micro,
      seed: hex(32),
      epoch,
      members: listOf(winner),
      reserve: listOf(openedBid),
      predictedAvailability: share,
      formedAt: instant,
      expiresAt: instant,
    }),
    z.strictObject({
      type: z.literal('quorum.member-lost'),
      providerId: id,
      owner: name,
      reason: text,
      epoch,
    }),
    z.strictObject({ type: z.literal('quorum.member-requested'), reason: text, epoch }),
    z.strictObject({
      type: z.literal('quorum.reformed'),
      epoch,
      members: listOf(winner),
      reserve: listOf(openedBid),
      added: listOf(winner),
      predictedAvailability: share,
      method: z.enum(['exact', 'best-found']),
      atLeast: micro.exactOptional(),
    }),
    z.strictObject({
      type: z.literal('quorum.degraded'),
      epoch,
      members: listOf(winner),
      predictedAvailability: share,
      violations: listOf(violation),
    }),
    z.strictObject({ type: z.literal('quorum.dissolved'), reason: text }),
  ]),
);
