import { bidOf } from '../auction/market.fixture.ts';
import type { JobEvent } from '../job/events.ts';
import { settle } from '../job/payouts.ts';
import { toMicro } from '../money.ts';

export const RUN_FROM = '2026-01-01T00:00:00.000Z';
export const RUN_TO = '2026-01-01T01:00:00.000Z';

interface JobShape {
  readonly jobId?: string;
  readonly submitter?: string;
  readonly providerId?: string;
  readonly owner?: string;
  /** Promised to the one member. */
  readonly fee?: number;
  /** What the settlement gives back, in percent. */
  readonly creditPercent?: number;
}

/** Events of a bronze job with one member that ran for an hour: from its submission to its settlement. */
export const jobEvents = ({
  jobId = 'job-1',
  submitter = 'subject-s',
  providerId = 'provider-0',
  owner = 'owner-0',
  fee = 1000,
  creditPercent = 0,
}: JobShape = {}): readonly JobEvent[] => {
  const winner = { ...bidOf(0, 1, { providerId, owner }), payment: toMicro(BigInt(fee)) };
  const { payouts, price, slaCredit, refund } = settle({
    escrow: winner.payment,
    winners: [winner],
    creditPercent,
  });
  return [
    {
      type: 'job.submitted',
      machineVersion: 1,
      jobId,
      submitter,
      quoteId: 'quote-1',
      auctionId: 'auction-1',
      auctionGiven: false,
      tier: 'bronze',
      tierTableVersion: 1,
      requiredTops: 500,
      utilization: 0.8,
      durationSeconds: 3600,
      ceiling: winner.payment,
      winners: 1,
      codeHash: 'aa',
      args: [],
      inputHash: 'bb',
      memoryMb: 64,
      auctionSeconds: 10,
      allowSimulated: true,
      seed: '00',
      submittedAt: RUN_FROM,
    },
    {
      type: 'job.quorum-formed',
      quorumId: 'quorum-1',
      epoch: 1,
      members: [winner],
      predictedAvailability: 0.99,
      formedAt: RUN_FROM,
    },
    { type: 'job.run-started', startedAt: RUN_FROM },
    {
      type: 'job.settled',
      payouts,
      slaCredit,
      price,
      refund,
      settledAt: RUN_TO,
    },
  ];
};
