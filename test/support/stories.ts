import * as fc from 'fast-check';
import type { AuctionEvent, OpenedBid, Winner } from '../../domain/auction/events.ts';
import type { EnclaveEvent } from '../../domain/enclave/events.ts';
import { aggregateOf, type DomainEvent, newEvent } from '../../domain/event.ts';
import type { JobEvent } from '../../domain/job/events.ts';
import { enclaveIdOf, quorumIdOf } from '../../domain/job/job.ts';
import type { EntryKind, LedgerEvent } from '../../domain/ledger/events.ts';
import { toMicro } from '../../domain/money.ts';
import { type EventStore, NO_STREAM } from '../../domain/ports/event-store.ts';
import type { ExecutionProof } from '../../domain/proof/record.ts';
import type { ProviderEvent } from '../../domain/provider/events.ts';
import type { QuorumEvent } from '../../domain/quorum/events.ts';
import { INFRASTRUCTURE_TYPES, type InfrastructureType } from '../../domain/tiers.ts';
import { instant } from '../../domain/time.ts';

/** Random but valid streams: every prefix of a story is one that a log can hold. */
export interface Story {
  readonly stream: string;
  readonly events: readonly DomainEvent[];
}

/** Draws numbers below a bound from a random tape. */
type Draw = (below: number) => number;

const T0 = Date.UTC(2026, 0, 1);
const at = (second: number): string => instant(T0 + second * 1000 + second);
const ulid = (seed: number): string => String(seed).padStart(26, '0');
const hex = (seed: number): string => seed.toString(16).padStart(64, '0');
const micro = (value: number) => toMicro(BigInt(value));

const bidOf = (seed: number, index: number): OpenedBid => ({
  bidId: `bid-${ulid(seed * 100 + index)}`,
  providerId: `provider-${ulid(index)}`,
  owner: `subject-${ulid(index)}`,
  infrastructureType: INFRASTRUCTURE_TYPES[index % INFRASTRUCTURE_TYPES.length] as InfrastructureType,
  asn: 64_512 + index,
  region: `region-${index}`,
  unavailability: 0.01 * (index + 1),
  price: micro(100 + 7 * index),
  newcomer: index % 2 === 0,
});

const winnerOf = (seed: number, index: number): Winner => ({
  ...bidOf(seed, index),
  payment: micro(900 + index),
});

const auctionStory = (seed: number, draw: Draw): Story => {
  const auctionId = `auction-${ulid(seed)}`;
  const jobId = draw(2) === 0 ? `job-${ulid(seed)}` : null;
  const bids = Array.from({ length: draw(5) }, (_, index) => bidOf(seed, index));
  const events: AuctionEvent[] = [
    {
      type: 'auction.opened',
      machineVersion: 1,
      auctionId,
      submitter: 'subject-submitter',
      jobId,
      quoteId: `quote-${seed}`,
      tier: 'gold',
      tierTableVersion: 1,
      requiredTops: 500.5,
      utilization: 0.5,
      durationSeconds: 60,
      winners: 3,
      requiredUp: 2,
      minimumOwners: 4,
      ceiling: micro(888_889),
      rule: 'critical-value',
      seed: hex(seed),
      auctionSeconds: 10,
      openedAt: at(seed),
      closesAt: at(seed + 10),
    },
    ...bids.map(
      ({ bidId, providerId, owner }): AuctionEvent => ({
        type: 'auction.bid-placed',
        bidId,
        providerId,
        owner,
        sealed: `box-${bidId}`,
        deposit: micro(888_889),
        placedAt: at(seed + 1),
      }),
    ),
  ];
  const verdicts = bids.map((bid, index) => ({
    bidId: bid.bidId,
    state: index < 3 ? ('won' as const) : ('lost' as const),
    reason: 'price',
  }));
  if (draw(3) === 0) {
    events.push({
      type: 'auction.extended',
      extendedAt: at(seed + 10),
      closesAt: at(seed + 20),
      owners: bids.length,
    });
  }
  if (bids.length < 4) {
    events.push({
      type: 'auction.failed',
      reason: 'AUCTION_NOT_ENOUGH_BIDS',
      message: `have ${bids.length}, need 4`,
      verdicts: bids.map(({ bidId }) => ({ bidId, state: 'expired', reason: 'too few bids' })),
    });
    return { stream: auctionId, events };
  }
  events.push(
    { type: 'auction.closed', closedAt: at(seed + 20) },
    {
      type: 'auction.bids-opened',
      bids: bids.slice(1),
      refused: [{ bidId: bids[0]?.bidId ?? '', state: 'rejected', reason: 'unreadable' }],
    },
    {
      type: 'auction.awarded',
      winners: [1, 2, 3].map((index) => winnerOf(seed, index)),
      verdicts,
      total: micro(2_706),
      predictedAvailability: 0.999_123_456_7,
      method: 'exact',
      allocateBy: jobId === null ? at(seed + 900) : null,
    },
  );
  if (jobId === null) {
    events.push(
      draw(2) === 0
        ? { type: 'auction.allocated', jobId: `job-${ulid(seed)}` }
        : { type: 'auction.lapsed', lapsedAt: at(seed + 900) },
    );
  }
  return { stream: auctionId, events };
};

const quorumStory = (seed: number, draw: Draw): Story => {
  const quorumId = quorumIdOf(`job-${ulid(seed)}`);
  let epoch = 1;
  let members = [0, 1, 2].map((index) => winnerOf(seed, index));
  const reserve: OpenedBid[] = [bidOf(seed, 3), bidOf(seed, 4)];
  const events: QuorumEvent[] = [
    {
      type: 'quorum.formed',
      machineVersion: 1,
      quorumId,
      jobId: `job-${ulid(seed)}`,
      auctionId: `auction-${ulid(seed)}`,
      tier: 'gold',
      requiredUp: 2,
      target: 0.999,
      ceiling: micro(888_889),
      seed: hex(seed),
      epoch,
      members,
      reserve,
      predictedAvailability: 0.9995,
      formedAt: at(seed + 21),
      expiresAt: at(seed + 4000),
    },
  ];
  for (let step = draw(3); step > 0; step--) {
    const [lost] = members;
    if (!lost || draw(3) === 0)
      events.push({ type: 'quorum.member-requested', reason: 'results differ', epoch });
    else {
      events.push({
        type: 'quorum.member-lost',
        providerId: lost.providerId,
        owner: lost.owner,
        reason: 'lost',
        epoch,
      });
      members = members.slice(1);
    }
    epoch++;
    const added = draw(2) === 0 ? [] : [winnerOf(seed, 4 + epoch)];
    members = [...members, ...added];
    events.push(
      added.length > 0
        ? {
            type: 'quorum.reformed',
            epoch,
            members,
            reserve,
            added,
            predictedAvailability: 0.9991,
            method: 'exact',
          }
        : {
            type: 'quorum.degraded',
            epoch,
            members,
            predictedAvailability: 0.9,
            violations: [
              {
                rule: 'member-count',
                have: members.length,
                need: 3,
                members: [],
                recommendation: 'more bids',
              },
            ],
          },
    );
  }
  if (draw(2) === 0) events.push({ type: 'quorum.dissolved', reason: 'the job ended' });
  return { stream: quorumId, events };
};

const proofOf = (seed: number, index: number, enclaveId: string): ExecutionProof =>
  ({
    proofId: `proof-${ulid(seed * 100 + index)}`,
    record: {
      proofType: 'proof_of_execution',
      version: 1,
      outcome: 'exited',
      exitCode: 0,
      outputHash: hex(seed),
      enclaveId,
      resources: { cpuMs: 12.5, wallMs: 20.25, peakMemoryBytes: 65_536 },
    },
  }) as unknown as ExecutionProof;

const enclaveStory = (seed: number, draw: Draw): Story => {
  const enclaveId = enclaveIdOf(`job-${ulid(seed)}`, `provider-${ulid(0)}`);
  const steps = [{ step: 'signature', ok: true, code: 'OK' }];
  const events: EnclaveEvent[] = [
    {
      type: 'enclave.requested',
      machineVersion: 1,
      enclaveId,
      providerId: `provider-${ulid(0)}`,
      owner: `subject-${ulid(0)}`,
      submitter: 'subject-submitter',
      jobId: `job-${ulid(seed)}`,
      platform: 'amd_sev_snp',
      codeHash: hex(seed),
      config: { memoryMb: 64, cpuCores: 1, allowDebug: false },
      allowSimulated: true,
      requestedAt: at(seed + 22),
      expiresAt: at(seed + 500),
    },
  ];
  const happy: EnclaveEvent[] = [
    { type: 'enclave.created', enclaveKey: hex(seed + 1) },
    {
      type: 'enclave.attested',
      reportHash: hex(seed + 2),
      measurement: hex(seed + 3),
      nonce: hex(seed + 4),
      label: 'simulated',
      steps,
      attestedAt: at(seed + 23),
      expiresAt: at(seed + 600),
    },
    {
      type: 'enclave.run-started',
      work: {
        args: ['a'],
        inputHash: hex(seed),
        randomSeed: hex(seed),
        clockStart: at(seed),
        timeLimitSeconds: 60,
      },
      startedAt: at(seed + 24),
    },
    {
      type: 'enclave.run-finished',
      proof: proofOf(seed, 0, enclaveId),
      missedHeartbeats: 0,
      finishedAt: at(seed + 25),
    },
  ];
  const done = draw(happy.length + 1);
  events.push(...happy.slice(0, done));
  if (done < happy.length) {
    events.push({
      type: 'enclave.failed',
      fault: 'lost',
      code: 'RESOURCE_UNAVAILABLE',
      message: 'silent',
      steps: [],
    });
  }
  events.push({ type: 'enclave.destroyed', reason: 'work done', confirmed: draw(2) === 0 });
  return { stream: enclaveId, events };
};

const jobStory = (seed: number, draw: Draw): Story => {
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

const providerStory = (seed: number, draw: Draw): Story => {
  const stream = `provider-${ulid(seed)}`;
  const events: ProviderEvent[] = [
    {
      type: 'provider.registered',
      machineVersion: 1,
      providerId: stream,
      owner: `subject-${ulid(seed)}`,
      infrastructureType: INFRASTRUCTURE_TYPES[seed % INFRASTRUCTURE_TYPES.length] as InfrastructureType,
      asn: 4_200_000_000 + seed,
      region: 'region-a',
      tops: 512.25,
      publicKey: hex(seed),
      registeredAt: at(seed),
    },
    {
      type: 'provider.attested',
      platform: 'amd_sev_snp',
      label: 'simulated',
      reportHash: hex(seed),
      nonce: hex(seed),
      attestedAt: at(seed + 1),
      expiresAt: at(seed + 86_400),
    },
    { type: 'provider.stake-locked', amount: micro(5_000_000) },
    { type: 'provider.up', at: at(seed + 2), missedHeartbeats: 0 },
  ];
  for (let item = draw(6); item > 0; item--) {
    events.push({
      type: 'provider.evidence-recorded',
      evidenceId: `proof-${ulid(seed * 100 + item)}`,
      reason: draw(3) === 0 ? 'lost' : 'completed',
      positive: draw(2) / 10,
      negative: draw(3) * 0.7,
      at: at(seed + 100 + item),
    });
  }
  if (draw(2) === 0) events.push({ type: 'provider.suspected', at: at(seed + 200), missedHeartbeats: 2 });
  return { stream, events };
};

const ledgerStory = (draw: Draw): Story => {
  const kinds: EntryKind[] = ['hold', 'release', 'payment', 'stake'];
  const accounts = [
    'available:subject-a',
    'available:subject-b',
    'escrow:auction-1',
    'deposit:bid-1',
    'stake:provider-1',
  ];
  const events: LedgerEvent[] = [];
  const post = (kind: EntryKind, from: string, to: string, amount: string): void => {
    events.push({
      type: 'ledger.entry-posted',
      machineVersion: 1,
      entryId: `entry-${events.length}`,
      kind,
      cause: `cause-${events.length}@0`,
      postings: [
        { account: from, amount: toMicro(-BigInt(amount)) },
        { account: to, amount: toMicro(amount) },
      ],
    });
  };
  for (const name of accounts) post('credit', 'external', name, '1000000000000000000000');
  for (let count = draw(12); count > 0; count--) {
    const from = draw(accounts.length);
    const to = (from + 1 + draw(accounts.length - 1)) % accounts.length;
    post(
      kinds[draw(kinds.length)] as EntryKind,
      accounts[from] as string,
      accounts[to] as string,
      String(1 + draw(1000)),
    );
  }
  return { stream: 'ledger-main', events };
};

const STORIES = [auctionStory, quorumStory, enclaveStory, jobStory, providerStory];

/** Stories of every aggregate, whole or cut short, and how to interleave them. */
export interface Plot {
  readonly stories: readonly Story[];
  /** Which unfinished stream goes on, step by step. */
  readonly turns: readonly number[];
}

export const plots = (rounds: { readonly min: number; readonly max: number }): fc.Arbitrary<Plot> =>
  fc
    .record({
      rounds: fc.integer(rounds),
      tape: fc.array(fc.nat(999), { minLength: 400, maxLength: 400 }),
      turns: fc.array(fc.nat(999), { minLength: 200, maxLength: 200 }),
    })
    .map(({ rounds: count, tape, turns }) => {
      let cursor = 0;
      const draw: Draw = (below) => (tape[cursor++ % tape.length] as number) % below;
      const stories = Array.from({ length: count }, (_, seed) =>
        STORIES.map((story) => story(seed + 1, draw)),
      ).flat();
      stories.push(ledgerStory(draw));
      return { stories: stories.map((story) => cut(story, draw)), turns };
    });

const cut = ({ stream, events }: Story, draw: Draw): Story => ({
  stream,
  events: draw(3) === 0 ? events.slice(0, 1 + draw(events.length)) : events,
});

/** Appends a plot, its streams interleaved. */
export const tell = async (store: EventStore, { stories, turns }: Plot): Promise<void> => {
  const open = stories.map((story) => ({ ...story, next: 0 }));
  for (let turn = 0; open.length > 0; turn++) {
    const index = (turns[turn % turns.length] as number) % open.length;
    const story = open[index] as (typeof open)[number];
    const size = 1 + (turn % 3);
    const events = story.events.slice(story.next, story.next + size);
    const result = await store.append(
      {
        stream: story.stream,
        expectedRevision: BigInt(story.next) + NO_STREAM,
        events: events.map((event, offset) =>
          newEvent(event, {
            occurredAt: at(turn + offset),
            actor: 'engine',
            correlationId: story.stream,
            causationId: `${story.stream}/${story.next}`,
            traceparent: null,
          }),
        ),
      },
      aggregateOf(story.stream) === 'ledger'
        ? undefined
        : { workflowId: story.stream, runId: `run-${turn % 2}` },
    );
    if (!result.ok) throw new Error(`the plot conflicts in ${story.stream}`);
    story.next += size;
    if (story.next >= story.events.length) open.splice(index, 1);
  }
};
