import type { Winner } from '../../domain/auction/events.ts';
import type { Micro } from '../../domain/money.ts';
import type { Violation } from '../../domain/quorum/events.ts';
import type { TierName } from '../../domain/tiers.ts';
import type { Table } from '../table.ts';

export interface LostMember {
  readonly providerId: string;
  readonly owner: string;
  readonly reason: string;
  readonly epoch: number;
}

export interface QuorumRow {
  readonly quorumId: string;
  readonly jobId: string;
  readonly auctionId: string;
  readonly tier: TierName;
  readonly requiredUp: number;
  /** Availability promised by the tier. */
  readonly target: number;
  readonly ceiling: Micro;
  readonly state: 'formed' | 'reforming' | 'degraded' | 'dissolved';
  readonly epoch: number;
  readonly members: readonly Winner[];
  /** Everybody it ever lost, in order. */
  readonly lost: readonly LostMember[];
  readonly predictedAvailability: number;
  readonly violations: readonly Violation[];
  /** Why it reforms or dissolved. */
  readonly reason: string | null;
  readonly formedAt: string;
  readonly expiresAt: string;
  readonly position: string;
}

export const quorumsTable: Table<QuorumRow> = {
  name: 'quorums',
  key: ['quorumId'],
  columns: {
    quorumId: 'text',
    jobId: 'text',
    auctionId: 'text',
    tier: 'text',
    requiredUp: 'integer',
    target: 'real',
    ceiling: 'amount',
    state: 'text',
    epoch: 'integer',
    members: 'json',
    lost: 'json',
    predictedAvailability: 'real',
    violations: 'json',
    reason: 'text',
    formedAt: 'instant',
    expiresAt: 'instant',
    position: 'position',
  },
  indexes: [['jobId'], ['state']],
};
