import { randomBytes } from 'node:crypto';
import type { OpenAuction } from '../../../domain/auction/commands.ts';
import type { CreateEnclave } from '../../../domain/enclave/commands.ts';
import type { SubmitJob } from '../../../domain/job/commands.ts';
import { auctionIdOf, enclaveIdOf, type Job, quorumIdOf } from '../../../domain/job/job.ts';
import { toMicro } from '../../../domain/money.ts';
import type { Command } from '../../../domain/ports/lifecycles.ts';
import { circuitIdOf } from '../../../domain/predicate/predicate.ts';
import { foldStream } from '../../../domain/registry.ts';
import { TIER_TABLE_VERSION, type TierName } from '../../../domain/tiers.ts';
import { addSeconds } from '../../../domain/time.ts';
import { now } from '../open-engine.ts';
import type { NodeScript } from './nodes.ts';
import { type Recorder, SUBMITTER } from './recorder.ts';

const HEX = 'ab'.repeat(32);
const AUCTION_SECONDS = 4;
const CEILING = toMicro(1_000_000n);

const idOf = (aggregate: string): string => `${aggregate}-${randomBytes(13).toString('hex')}`;

const terms = (tier: TierName) => ({
  submitter: SUBMITTER,
  quoteId: 'quote',
  tier,
  tierTableVersion: TIER_TABLE_VERSION,
  requiredTops: 500,
  utilization: 0.8,
  durationSeconds: 60,
  ceiling: CEILING,
  auctionSeconds: AUCTION_SECONDS,
  seed: HEX,
});

const auctionCommand = (tier: TierName): OpenAuction => ({
  type: 'open',
  auctionId: idOf('auction'),
  jobId: null,
  ...terms(tier),
});

const jobCommand = (tier: TierName, given?: string): SubmitJob => ({
  type: 'submit',
  jobId: idOf('job'),
  auctionId: given ?? idOf('auction'),
  auctionGiven: given !== undefined,
  codeHash: HEX,
  args: ['--all'],
  inputHash: HEX,
  memoryMb: 64,
  allowSimulated: true,
  ...terms(tier),
});

const enclaveCommand = (providerId: string, owner: string): CreateEnclave => ({
  type: 'create',
  enclaveId: idOf('enclave'),
  providerId,
  owner,
  submitter: SUBMITTER,
  jobId: null,
  platform: 'amd_sev_snp',
  codeHash: HEX,
  config: { memoryMb: 64, cpuCores: 1, allowDebug: false },
  allowSimulated: true,
  lifetimeSeconds: 3600,
});

const work = (): Command => {
  const order = { args: [], inputHash: HEX, randomSeed: HEX, clockStart: now(), timeLimitSeconds: 60 };
  return { type: 'run', work: order } as Command;
};

/** Runs a job with these bidders to its end. Its streams are named by what became of it. */
const runJob = async (recorder: Recorder, tier: TierName, scripts: readonly NodeScript[]): Promise<Job> => {
  const bidders = await recorder.providers(scripts);
  const command = jobCommand(tier);
  await recorder.open(command.jobId, command);
  await recorder.reached(command.auctionId, 'open');
  await recorder.bids(command.auctionId, bidders);
  await recorder.reached(command.jobId, 'settled', 'failed');
  const events = await recorder.engine.store.readStream(command.jobId);
  return foldStream(command.jobId, events).context as Job;
};

const ok: NodeScript = {};
const times = (count: number, script: NodeScript = ok): NodeScript[] =>
  Array.from({ length: count }, () => script);

type Scenarios = Readonly<Record<string, (recorder: Recorder) => Promise<void>>>;

/** On a server that soon asks for a new run. */
export const CONTINUED: Scenarios = {
  'an auction that goes on in a run of its own': async (recorder) => {
    const auction = { ...auctionCommand('bronze'), auctionSeconds: 3 * AUCTION_SECONDS };
    await recorder.open(auction.auctionId, auction);
    const first = await recorder.runOf(auction.auctionId);
    while ((await recorder.runOf(auction.auctionId)) === first)
      await recorder.bids(auction.auctionId, await recorder.providers(times(1)));
    await recorder.bids(auction.auctionId, await recorder.providers(times(3)));
    await recorder.reached(auction.auctionId, 'awarded');
    await recorder.execute(auction.auctionId, { type: 'allocate', jobId: idOf('job') } as Command);
    await recorder.keep(auction.auctionId, 'continued-as-new', first);
    await recorder.keep(auction.auctionId, 'continued');
  },
};

/** Everything else worth recording, one scenario after the other. */
export const SCENARIOS: Scenarios = {
  'a job from submission to settlement': async (recorder) => {
    const job = await runJob(recorder, 'gold', times(4));
    await recorder.keep(job.jobId, 'settled');
    await recorder.keep(job.auctionId, 'awarded');
    await recorder.keep(quorumIdOf(job.jobId), 'dissolved');
    await recorder.keep(job.enclaves[0] as string, 'terminated');
  },

  'a job whose member is lost in the run, whose next one is busy, and the one after refuses': async (
    recorder,
  ) => {
    const lostInRun = { runFault: 'lost', runMs: 500 } as const;
    const scripts = [lostInRun, ok, ok, { busy: true }, { launchFault: 'refusal' }, ok] as const;
    const job = await runJob(recorder, 'gold', scripts);
    const [lost] = job.failed;
    await recorder.keep(job.jobId, 'members-replaced');
    await recorder.keep(quorumIdOf(job.jobId), 'reformed');
    await recorder.keep(enclaveIdOf(job.jobId, lost?.providerId ?? ''), 'lost');
  },

  'a job whose winner fails its attestation and is slashed, with nobody left to replace it': async (
    recorder,
  ) => {
    const job = await runJob(recorder, 'gold', [
      { launchFault: 'attestation' },
      ok,
      ok,
      { launchFault: 'no-show' },
    ]);
    await recorder.keep(job.jobId, 'member-slashed');
    await recorder.keep(quorumIdOf(job.jobId), 'degraded');
  },

  'two results that differ, and a third that decides': async (recorder) => {
    const job = await runJob(recorder, 'silver', [{ output: 'b' }, ok, ok]);
    await recorder.keep(job.jobId, 'decided-by-a-third');
    await recorder.keep(quorumIdOf(job.jobId), 'extended');
  },

  'a job that reaches a limit: it fails and pays': async (recorder) => {
    const job = await runJob(recorder, 'bronze', times(3, { outcome: 'time_limit' }));
    await recorder.keep(job.jobId, 'limit-reached');
  },

  'a job that misses its SLA: part of its fee is given back': async (recorder) => {
    const job = await runJob(recorder, 'bronze', times(3, { missedHeartbeats: 3 }));
    await recorder.keep(job.jobId, 'sla-missed');
  },

  'a job with too few bids': async (recorder) => {
    const job = await runJob(recorder, 'gold', times(1));
    await recorder.keep(job.jobId, 'failed');
    await recorder.keep(job.auctionId, 'extended-and-failed');
  },

  'a job that waits for room, finds too few bids and waits again': async (recorder) => {
    const bidders = await recorder.providers(times(4));
    const command = { ...jobCommand('gold'), maxWaitSeconds: 120 };
    const { jobId } = command;
    await recorder.open(jobId, command);
    const admit = async (attempt: number): Promise<void> => {
      await recorder.reached(jobId, 'queued');
      await recorder.execute(jobId, { type: 'admit', attempt } as Command, 'engine');
    };
    await admit(1);
    await recorder.told(jobId, 'job.requeued');
    await admit(2);
    const auctionId = auctionIdOf(jobId, 2);
    await recorder.reached(auctionId, 'open');
    await recorder.bids(auctionId, bidders);
    await recorder.keep(jobId, 'waited');
  },

  'a job that waits for room in vain': async (recorder) => {
    const command = { ...jobCommand('gold'), maxWaitSeconds: 1 };
    await recorder.open(command.jobId, command);
    await recorder.keep(command.jobId, 'waited-in-vain');
  },

  'an auction of its own, and the job that takes its award': async (recorder) => {
    const bidders = await recorder.providers(times(3));
    const auction = auctionCommand('bronze');
    await recorder.open(auction.auctionId, auction);
    await recorder.bids(auction.auctionId, bidders);
    await recorder.reached(auction.auctionId, 'awarded');
    const job = jobCommand('bronze', auction.auctionId);
    await recorder.open(job.jobId, job);
    await recorder.keep(job.jobId, 'award-taken');
    await recorder.keep(auction.auctionId, 'allocated');
  },

  'an auction that is cancelled': async (recorder) => {
    const bidders = await recorder.providers(times(2));
    const auction = { ...auctionCommand('bronze'), jobId: idOf('job') };
    await recorder.open(auction.auctionId, auction);
    await recorder.bids(auction.auctionId, bidders);
    const cancel = { type: 'cancel', reason: 'its job failed' } as Command;
    await recorder.execute(auction.auctionId, cancel, 'engine');
    await recorder.keep(auction.auctionId, 'cancelled');
  },

  'an enclave that is attested again while it waits and while it works': async (recorder) => {
    const [bidder] = await recorder.providers([{ attestedMs: 4000, runMs: 5000 }]);
    const command = enclaveCommand(bidder?.providerId ?? '', bidder?.owner ?? '');
    await recorder.open(command.enclaveId, command);
    await recorder.reached(command.enclaveId, 'attested');
    await recorder.told(command.enclaveId, 'enclave.attestation-renewed');
    await recorder.execute(command.enclaveId, work());
    await recorder.keep(command.enclaveId, 'renewed');
  },

  'an enclave that is stopped': async (recorder) => {
    const [bidder] = await recorder.providers([ok]);
    const command = enclaveCommand(bidder?.providerId ?? '', bidder?.owner ?? '');
    await recorder.open(command.enclaveId, command);
    await recorder.reached(command.enclaveId, 'attested');
    await recorder.execute(command.enclaveId, { type: 'destroy', reason: 'not needed' } as Command);
    await recorder.keep(command.enclaveId, 'stopped');
  },

  'an enclave whose node the engine cannot ask': async (recorder) => {
    for (const version of [2, 3]) {
      const [bidder] = await recorder.providers([{ broken: true }]);
      const command = enclaveCommand(bidder?.providerId ?? '', bidder?.owner ?? '');
      await recorder.openAt(version, command.enclaveId, command);
      await recorder.keep(command.enclaveId, 'engine-failed');
    }
  },

  'an enclave of version 1': async (recorder) => {
    const [bidder] = await recorder.providers([ok]);
    const command = enclaveCommand(bidder?.providerId ?? '', bidder?.owner ?? '');
    await recorder.openAt(1, command.enclaveId, command);
    await recorder.reached(command.enclaveId, 'attested');
    await recorder.execute(command.enclaveId, work());
    await recorder.keep(command.enclaveId, 'terminated');
  },

  'a circuit that fails, is asked for again and gets its key': async (recorder) => {
    const shape = ['ge', 0, 8] as const;
    const stream = idOf('predicate');
    const command = {
      type: 'request',
      circuitId: circuitIdOf(shape),
      shape,
      constraints: 5400,
      publicInputs: 10,
    };
    await recorder.open(stream, command);
    await recorder.reached(stream, 'failed');
    await recorder.execute(stream, command);
    await recorder.keep(stream, 'ready');
  },

  'an epoch of the topology': async (recorder) => {
    const stream = idOf('topology');
    const opened = now();
    const startsAt = addSeconds(opened, 1);
    const command = {
      type: 'open',
      network: stream,
      epoch: 1,
      epochSeconds: 2,
      registrationClosesAt: opened,
      startsAt,
      endsAt: addSeconds(startsAt, 2),
      holdsUntil: addSeconds(startsAt, 4),
      bootstrap: false,
    };
    await recorder.open(stream, command);
    await recorder.reached(stream, 'active');
    const draw = { type: 'record-selection', nodeId: 'provider-0', index: 0, output: HEX + HEX };
    await recorder.execute(stream, {
      ...draw,
      proof: 'cd'.repeat(80),
      neighbours: ['provider-1'],
    } as Command);
    await recorder.keep(stream, 'ended');
  },
};
