import type { QuorumEvent } from '../../domain/quorum/events.ts';
import { rowProjection } from '../row-model.ts';
import { type QuorumRow, quorumsTable } from './table.ts';

/** One row per quorum: its epoch, members and what it promises. */
export const quorums = rowProjection<QuorumEvent, QuorumRow, 'quorum.formed'>({
  name: 'quorums',
  version: 2,
  table: quorumsTable,
  first: 'quorum.formed',
  create: (formed) => ({
    quorumId: formed.quorumId,
    jobId: formed.jobId,
    auctionId: formed.auctionId,
    tier: formed.tier,
    requiredUp: formed.requiredUp,
    target: formed.target,
    ceiling: formed.ceiling,
    state: 'formed',
    epoch: formed.epoch,
    members: formed.members,
    lost: [],
    predictedAvailability: formed.predictedAvailability,
    violations: [],
    reason: null,
    formedAt: formed.formedAt,
    expiresAt: formed.expiresAt,
  }),
  on: {
    'quorum.member-lost': (row, { providerId, owner, reason, epoch }) => ({
      state: 'reforming',
      members: row.members.filter((member) => member.providerId !== providerId),
      lost: [...row.lost, { providerId, owner, reason, epoch }],
      reason,
    }),
    'quorum.member-requested': (_, { reason }) => ({ state: 'reforming', reason }),
    'quorum.reformed': (_, { epoch, members, predictedAvailability }) => ({
      state: 'formed',
      epoch,
      members,
      predictedAvailability,
      violations: [],
      reason: null,
    }),
    'quorum.degraded': (_, { epoch, members, predictedAvailability, violations }) => ({
      state: 'degraded',
      epoch,
      members,
      predictedAvailability,
      violations,
      reason: null,
    }),
    'quorum.dissolved': (_, { reason }) => ({ state: 'dissolved', reason }),
  },
});
