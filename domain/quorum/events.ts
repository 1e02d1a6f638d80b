import type { OpenedBid, Winner } from '../auction/events.ts';
import type { Micro } from '../money.ts';
import type { TierName } from '../tiers.ts';

/** One broken rule of a set: what it has, what it needs and which members break it. */
export interface Violation {
  readonly rule:
    | 'member-count'
    | 'distinct-owner'
    | 'max-per-type'
    | 'distinct-asn'
    | 'distinct-region'
    | 'minimum-types'
    | 'availability';
  readonly have: number;
  readonly need: number;
  readonly members: readonly string[];
  /** What would repair it, in words. */
  readonly recommendation: string;
}

export interface QuorumFormed {
  readonly type: 'quorum.formed';
  readonly machineVersion: number;
  readonly quorumId: string;
  readonly jobId: string;
  readonly auctionId: string;
  readonly tier: TierName;
  readonly requiredUp: number;
  readonly target: number;
  readonly ceiling: Micro;
  readonly seed: string;
  readonly epoch: number;
  readonly members: readonly Winner[];
  /** The remaining opened bids: whom a replacement may come from. */
  readonly reserve: readonly OpenedBid[];
  readonly predictedAvailability: number;
  readonly formedAt: string;
  readonly expiresAt: string;
}

export interface MemberLost {
  readonly type: 'quorum.member-lost';
  readonly providerId: string;
  readonly owner: string;
  readonly reason: string;
  /** The epoch that lost it; its owner is barred from the next. */
  readonly epoch: number;
}

/** One more member is wanted, to decide between two results (settled 19). */
export interface MemberRequested {
  readonly type: 'quorum.member-requested';
  readonly reason: string;
  readonly epoch: number;
}

export interface QuorumReformed {
  readonly type: 'quorum.reformed';
  readonly epoch: number;
  readonly members: readonly Winner[];
  readonly reserve: readonly OpenedBid[];
  readonly added: readonly Winner[];
  readonly predictedAvailability: number;
  /** As in `auction.awarded`, of the members added. */
  readonly method: 'exact' | 'best-found';
  readonly atLeast?: Micro;
}

export interface QuorumDegraded {
  readonly type: 'quorum.degraded';
  readonly epoch: number;
  readonly members: readonly Winner[];
  readonly predictedAvailability: number;
  readonly violations: readonly Violation[];
}

export interface QuorumDissolved {
  readonly type: 'quorum.dissolved';
  readonly reason: string;
}

export type QuorumEvent =
  | QuorumFormed
  | MemberLost
  | MemberRequested
  | QuorumReformed
  | QuorumDegraded
  | QuorumDissolved;
