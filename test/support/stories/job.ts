import type { JobEvent } from '../../../domain/job/events.ts';
import { enclaveIdOf, quorumIdOf } from '../../../domain/job/job.ts';
import { at, bidOf, type Draw, hex, micro, type Story, ulid, winnerOf } from './parts.ts';

export const jobStory = (seed: number, draw: Draw): Story => {
  const jobId = `job-${ulid(seed)}`;
  const auctionId = `auction-${ulid(seed)}`;
  const auctionGiven = draw(3) === 0;
  const events: JobEvent[] = [
    {
      type: 'job.submitted',
      machineVersion: 1,
      jobId,
      submitter: `subject-${ulid(draw(2))}`,
      quoteId: `quote-${seed}`,
      auctionId,
      auctionGiven,
      tier: 'gold',
      tierTableVersion: 1,
      requiredTops: 500,
      utilization: 0.8,
      durationSeconds: 60,
      ceiling: micro(888_889),
      winners: 3,
      codeHash: hex(seed),
      args: ['--count', '"quoted" \\ and ünïcode'],
      inputHash: hex(seed + 1),
      memoryMb: 64,
      auctionSeconds: 10,
      allowSimulated: true,
      seed: hex(seed + 2),
      submittedAt: at(seed),
    },
  ];
  let members = [0, 1, 2].map((index) => winnerOf(seed, index));
  let epoch = 1;
  const attested = new Set<string>();
  const finished = new Set<string>();
  if (!auctionGiven) events.push({ type: 'job.auction-opened', auctionId, closesAt: at(seed + 10) });
  if (draw(6) === 0) {
    events.push(
      { type: 'job.aborted', reason: 'AUCTION_NOT_ENOUGH_BIDS', message: 'have 2, need 4' },
      {
        type: 'job.failed',
        reason: 'AUCTION_NOT_ENOUGH_BIDS',
        message: 'have 2, need 4',
        payouts: [],
        price: micro(0),
        failedAt: at(seed + 30),
      },
    );
    return { stream: jobId, events };
  }
  events.push({
    type: 'job.auction-awarded',
    auctionId,
    winners: members,
    reserve: [bidOf(seed, 3)],
    seed: hex(seed),
  });
  const form = (): void => {
    events.push({
      type: 'job.quorum-formed',
      quorumId: quorumIdOf(jobId),
      epoch,
      members,
      predictedAvailability: 0.9995,
      formedAt: at(seed + 20 + epoch),
    });
  };
  const lose = (): void => {
    const [lost] = members;
    if (!lost) return;
    const bidIndex = 3 + epoch;
    events.push({
      type: 'job.member-failed',
      providerId: lost.providerId,
      owner: lost.owner,
      bidId: lost.bidId,
      enclaveId: enclaveIdOf(jobId, lost.providerId),
      fault: 'lost',
      slashed: false,
      evidenceId: `${jobId}@${events.length}`,
      message: 'silent',
    });
    epoch++;
    members = members.slice(1);
    if (draw(2) === 0) {
      events.push({ type: 'job.quorum-degraded', epoch, members, violations: [] });
    } else {
      members = [...members, winnerOf(seed, bidIndex)];
      form();
    }
  };
  const attest = (): void => {
    for (const { providerId } of members) {
      if (attested.has(providerId)) continue;
      attested.add(providerId);
      events.push({
        type: 'job.enclave-attested',
        providerId,
        enclaveId: enclaveIdOf(jobId, providerId),
        label: 'simulated',
        attestedAt: at(seed + 30),
      });
    }
  };
  form();
  if (draw(4) === 0) lose();
  attest();
  events.push({ type: 'job.run-started', startedAt: at(seed + 31) });
  if (draw(4) === 0) {
    lose();
    attest();
  }
  for (const [index, { providerId }] of members.entries()) {
    if (finished.has(providerId)) continue;
    finished.add(providerId);
    events.push({
      type: 'job.result-received',
      providerId,
      enclaveId: enclaveIdOf(jobId, providerId),
      proofId: `proof-${ulid(seed * 100 + index)}`,
      outcome: 'exited',
      exitCode: 0,
      outputHash: hex(seed),
      missedHeartbeats: index,
      finishedAt: at(seed + 40),
    });
  }
  const payouts = members.map(({ providerId, owner, bidId, payment }) => ({
    providerId,
    owner,
    bidId,
    amount: payment,
  }));
  events.push(
    {
      type: 'job.proven',
      proofId: `proof-${ulid(seed * 100)}`,
      outcome: 'exited',
      exitCode: 0,
      outputHash: hex(seed),
      accepted: members.map(({ providerId }) => providerId),
      deviants: [],
      sla: { verdict: 'met', samples: 12, missedShare: 0, creditPercent: 0 },
      provenAt: at(seed + 41),
    },
    {
      type: 'job.settled',
      payouts,
      slaCredit: micro(0),
      price: micro(2703),
      refund: micro(2_666_667 - 2703),
      settledAt: at(seed + 42),
    },
  );
  return { stream: jobId, events };
};
