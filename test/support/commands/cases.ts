import type { AuctionCommand, OpenAuction } from '../../../domain/auction/commands.ts';
import type { AuctionEvent, OpenedBid, Winner } from '../../../domain/auction/events.ts';
import type { CreateEnclave, EnclaveCommand } from '../../../domain/enclave/commands.ts';
import type { EnclaveEvent } from '../../../domain/enclave/events.ts';
import type { DomainEvent } from '../../../domain/event.ts';
import type { JobCommand, SubmitJob } from '../../../domain/job/commands.ts';
import type { JobEvent } from '../../../domain/job/events.ts';
import { toMicro } from '../../../domain/money.ts';
import type { Command } from '../../../domain/ports/lifecycles.ts';
import type { PredicateCommand } from '../../../domain/predicate/commands.ts';
import { circuitIdOf } from '../../../domain/predicate/predicate.ts';
import type { FormQuorum, QuorumCommand } from '../../../domain/quorum/commands.ts';
import type { LifecycleName } from '../../../domain/registry.ts';
import { INFRASTRUCTURE_TYPES } from '../../../domain/tiers.ts';
import { addSeconds } from '../../../domain/time.ts';
import type { OpenTopology, TopologyCommand } from '../../../domain/topology/commands.ts';
import type { TopologyEvent } from '../../../domain/topology/events.ts';

/** The commands of every lifecycle. The compiler holds the cases below against them and against the registry. */
interface CommandsOf extends Record<LifecycleName, Command> {
  readonly auction: AuctionCommand;
  readonly enclave: EnclaveCommand;
  readonly job: JobCommand;
  readonly predicate: PredicateCommand;
  readonly quorum: QuorumCommand;
  readonly topology: TopologyCommand;
}

/** What callers may send; deadlines are the host's own. */
type CalledBy<A extends LifecycleName> = Exclude<CommandsOf[A], { readonly type: 'deadline' }>;

/** How a stream begins: a command, and the events that stand behind its own by the time that the case is about. */
interface Begun {
  readonly opening: Command;
  readonly then: readonly DomainEvent[];
}

/** A command that its state accepts. */
export interface CommandCase {
  readonly stream: string;
  /** Null where the command itself opens the stream. */
  readonly given: Begun | null;
  readonly command: Command;
  readonly actor: string;
}

type Case = (id: string, now: string) => CommandCase;

export const SUBMITTER = 'subject-submitter';
const HEX = 'ab'.repeat(32);
const HOUR = 3600;

const bidOf = (index: number): OpenedBid => ({
  bidId: `bid-${index}`,
  providerId: `provider-${index}`,
  owner: `owner-${index}`,
  infrastructureType: INFRASTRUCTURE_TYPES[index] ?? 'cloud_aws',
  asn: 64_500 + index,
  region: `region-${index}`,
  unavailability: 0.001,
  price: toMicro(100n),
  newcomer: false,
});

/** One member was awarded, and another is to come in. */
const asking = (id: string, now: string): JobEvent[] => {
  const [winner, standby] = [0, 1].map((index) => ({ ...bidOf(index), payment: toMicro(100n) }));
  const members = [winner, standby] as Winner[];
  const auctionId = `auction-of-${id}`;
  return [
    { type: 'job.auction-opened', auctionId, closesAt: now },
    { type: 'job.auction-awarded', auctionId, winners: members.slice(0, 1), reserve: [bidOf(1)], seed: HEX },
    {
      type: 'job.quorum-formed',
      quorumId: `quorum-${id}`,
      epoch: 1,
      members,
      predictedAvailability: 0.99,
      formedAt: now,
    },
  ];
};

const auction = (id: string, jobId: string | null): OpenAuction => ({
  type: 'open',
  auctionId: `auction-${id}`,
  submitter: SUBMITTER,
  jobId,
  quoteId: `quote-${id}`,
  tier: 'bronze',
  tierTableVersion: 1,
  requiredTops: 500,
  utilization: 0.8,
  durationSeconds: 60,
  ceiling: toMicro(1000n),
  auctionSeconds: HOUR,
  seed: HEX,
});

const awarded = (now: string): AuctionEvent[] => [
  { type: 'auction.closed', closedAt: now },
  { type: 'auction.bids-opened', bids: [bidOf(0)], refused: [] },
  {
    type: 'auction.awarded',
    winners: [{ ...bidOf(0), payment: toMicro(100n) }],
    verdicts: [],
    total: toMicro(100n),
    predictedAvailability: 0.99,
    method: 'exact',
    allocateBy: addSeconds(now, HOUR),
  },
];

const quorum = (id: string): FormQuorum => ({
  type: 'form',
  quorumId: `quorum-${id}`,
  jobId: `job-of-${id}`,
  auctionId: `auction-of-${id}`,
  tier: 'gold',
  ceiling: toMicro(1000n),
  seed: HEX,
  members: [0, 1, 2].map((index) => ({ ...bidOf(index), payment: toMicro(100n) })),
  reserve: [3, 4, 5].map(bidOf),
  lifetimeSeconds: HOUR,
});

const enclave = (id: string): CreateEnclave => ({
  type: 'create',
  enclaveId: `enclave-${id}`,
  providerId: 'provider-0',
  owner: 'owner-0',
  submitter: SUBMITTER,
  jobId: null,
  platform: 'amd_sev_snp',
  codeHash: HEX,
  config: { memoryMb: 64, cpuCores: 1, allowDebug: false },
  allowSimulated: true,
  lifetimeSeconds: HOUR,
});

export const attested = (now: string): EnclaveEvent[] => [
  { type: 'enclave.created', enclaveKey: HEX },
  {
    type: 'enclave.attested',
    reportHash: HEX,
    measurement: 'cd'.repeat(48),
    nonce: HEX,
    label: 'simulated',
    steps: [],
    attestedAt: now,
    expiresAt: addSeconds(now, HOUR),
  },
];

const job = (id: string): SubmitJob => ({
  type: 'submit',
  jobId: `job-${id}`,
  submitter: SUBMITTER,
  quoteId: `quote-${id}`,
  auctionId: `auction-of-job-${id}`,
  auctionGiven: false,
  tier: 'bronze',
  tierTableVersion: 1,
  requiredTops: 500,
  utilization: 0.8,
  durationSeconds: 60,
  ceiling: toMicro(1000n),
  codeHash: HEX,
  args: [],
  inputHash: HEX,
  memoryMb: 64,
  auctionSeconds: HOUR,
  allowSimulated: true,
  seed: HEX,
});

const topology = (id: string, now: string): OpenTopology => ({
  type: 'open',
  network: id,
  epoch: 1,
  epochSeconds: HOUR,
  registrationClosesAt: addSeconds(now, HOUR),
  startsAt: addSeconds(now, HOUR),
  endsAt: addSeconds(now, 2 * HOUR),
  holdsUntil: addSeconds(now, 3 * HOUR),
  bootstrap: false,
});

export const drawing = (now: string): TopologyEvent[] => [
  { type: 'topology.registration-closed', closedAt: now },
  {
    type: 'topology.candidates-committed',
    candidateRoot: HEX,
    candidateCount: 2,
    candidateSet: HEX,
    position: '1',
    committedAt: now,
  },
  {
    type: 'topology.beacon-fixed',
    beacon: HEX,
    source: { kind: 'log', size: '1', hash: HEX },
    fixedAt: now,
  },
];

const opening = (stream: string, command: Command, actor = 'engine'): CommandCase => ({
  stream,
  given: null,
  command,
  actor,
});

const behind = (
  stream: string,
  begun: Command,
  then: readonly DomainEvent[],
  command: Command,
  actor = 'engine',
): CommandCase => ({ stream, given: { opening: begun, then }, command, actor });

/** One case for every command that a caller may send to a lifecycle. */
export const COMMAND_CASES: {
  readonly [A in LifecycleName]: { readonly [T in CalledBy<A>['type']]: Case };
} = {
  auction: {
    open: (id) => opening(`auction-${id}`, auction(id, null), SUBMITTER),
    'place-bid': (id) => {
      const { bidId, providerId, owner } = bidOf(1);
      const bid: AuctionCommand = {
        type: 'place-bid',
        bidId: `${bidId}-${id}`,
        providerId,
        owner,
        sealed: 'box',
      };
      return behind(`auction-${id}`, auction(id, `job-of-${id}`), [], bid, owner);
    },
    allocate: (id, now) => {
      const command: AuctionCommand = { type: 'allocate', jobId: `job-of-${id}` };
      return behind(`auction-${id}`, auction(id, null), awarded(now), command, SUBMITTER);
    },
    cancel: (id) => {
      const command: AuctionCommand = { type: 'cancel', reason: 'the job has failed' };
      return behind(`auction-${id}`, auction(id, `job-of-${id}`), [], command);
    },
  },
  enclave: {
    create: (id) => opening(`enclave-${id}`, enclave(id)),
    run: (id, now) => {
      const work = { args: [], inputHash: HEX, randomSeed: HEX, clockStart: now, timeLimitSeconds: 60 };
      const command: EnclaveCommand = { type: 'run', work };
      return behind(`enclave-${id}`, enclave(id), attested(now), command);
    },
    destroy: (id, now) => {
      const command: EnclaveCommand = { type: 'destroy', reason: 'not needed' };
      return behind(`enclave-${id}`, enclave(id), attested(now), command);
    },
  },
  job: {
    submit: (id) => opening(`job-${id}`, job(id), SUBMITTER),
    admit: (id) => {
      const command: JobCommand = { type: 'admit', attempt: 1 };
      return behind(`job-${id}`, { ...job(id), maxWaitSeconds: 3600 } as SubmitJob, [], command);
    },
    'bind-standby': (id, now) => {
      const command: JobCommand = { type: 'bind-standby', providerId: 'provider-1' };
      return behind(`job-${id}`, job(id), asking(id, now), command);
    },
  },
  predicate: {
    request: (id) => {
      const shape = ['ge', 0, 8] as const;
      const circuitId = circuitIdOf(shape);
      const command: PredicateCommand = {
        type: 'request',
        circuitId,
        shape,
        constraints: 5400,
        publicInputs: 10,
      };
      return opening(`predicate-${id}`, command);
    },
  },
  quorum: {
    form: (id) => opening(`quorum-${id}`, quorum(id)),
    'lose-member': (id) => {
      const command: QuorumCommand = { type: 'lose-member', providerId: 'provider-0', reason: 'lost' };
      return behind(`quorum-${id}`, quorum(id), [], command);
    },
    'add-member': (id) => {
      const command: QuorumCommand = { type: 'add-member', reason: 'two results differ' };
      return behind(`quorum-${id}`, quorum(id), [], command);
    },
    dissolve: (id) => {
      const command: QuorumCommand = { type: 'dissolve', reason: 'the job ended' };
      return behind(`quorum-${id}`, quorum(id), [], command);
    },
  },
  topology: {
    open: (id, now) => opening(`topology-${id}`, topology(id, now)),
    'record-selection': (id, now) => {
      const command: TopologyCommand = {
        type: 'record-selection',
        nodeId: 'provider-0',
        index: 0,
        output: HEX + HEX,
        proof: 'cd'.repeat(80),
        neighbours: ['provider-1'],
      };
      return behind(`topology-${id}`, topology(id, now), drawing(now), command);
    },
  },
};

/** All of them, each with a stream of its own. */
export const commandCases = (
  run: string,
  now: string,
): readonly (CommandCase & { readonly name: string })[] =>
  Object.entries(COMMAND_CASES).flatMap(([aggregate, cases]) =>
    Object.entries(cases).map(([type, make]) => ({
      name: `${aggregate} ${type}`,
      ...make(`${run}-${type}`, now),
    })),
  );
