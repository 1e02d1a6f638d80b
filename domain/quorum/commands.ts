import type { OpenedBid, Winner } from '../auction/events.ts';
import type { DeadlineCommand } from '../decision.ts';
import type { Micro } from '../money.ts';
import type { TierName } from '../tiers.ts';

export interface FormQuorum {
  readonly type: 'form';
  readonly quorumId: string;
  readonly jobId: string;
  readonly auctionId: string;
  readonly tier: TierName;
  readonly ceiling: Micro;
  readonly seed: string;
  readonly members: readonly Winner[];
  readonly reserve: readonly OpenedBid[];
  readonly lifetimeSeconds: number;
}

export interface ReportMemberLost {
  readonly type: 'lose-member';
  readonly providerId: string;
  readonly reason: string;
}

/** Asks for one member more than the tier buys, to decide between two results. */
export interface AddMember {
  readonly type: 'add-member';
  readonly reason: string;
}

export interface DissolveQuorum {
  readonly type: 'dissolve';
  readonly reason: string;
}

export type QuorumCommand = FormQuorum | ReportMemberLost | AddMember | DissolveQuorum | DeadlineCommand;
