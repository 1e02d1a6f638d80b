import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createJobActivities } from '../../../activities/job.ts';
import { createStandbyActivities } from '../../../activities/standby.ts';
import { aggregateOf } from '../../../domain/event.ts';
import { toMicro } from '../../../domain/money.ts';
import { type Command, HOST_VERSION } from '../../../domain/ports/lifecycles.ts';
import { foldStream, LIFECYCLES, type LifecycleName } from '../../../domain/registry.ts';
import { INFRASTRUCTURE_TYPES } from '../../../domain/tiers.ts';
import { bidIdOf } from '../../../infra/bidding/bid-id.ts';
import { sealContext } from '../../../infra/bidding/seal-context.ts';
import type { LifecycleInput } from '../../../workflows/lifecycle.ts';
import { type Engine, type EngineOptions, metaOf, now, openEngine } from '../open-engine.ts';
import { HISTORIES, recordHistory } from '../record-history.ts';
import { type NodeScript, scriptedNodes, scriptedStandbys } from './nodes.ts';

const LOOK_MS = 50;

/** An engine whose nodes follow a script, and what a recording needs to know of it. */
export interface Recorder {
  readonly engine: Engine;
  /** Providers that may bid, in the order of the scripts, each on infrastructure of its own. */
  providers(scripts: readonly NodeScript[]): Promise<readonly Bidder[]>;
  open(stream: string, command: Command): Promise<void>;
  /** Starts a stream in an older version of its machine, as it would have been begun then. */
  openAt(version: number, stream: string, command: Command): Promise<void>;
  execute(stream: string, command: Command, actor?: string): Promise<void>;
  /** Bids of all, cheapest first. */
  bids(auctionId: string, bidders: readonly Bidder[]): Promise<void>;
  /** Waits until the lifecycle is in one of `states`. */
  reached(stream: string, ...states: readonly string[]): Promise<void>;
  /** Waits for an event of the stream. */
  told(stream: string, type: string): Promise<void>;
  /** The run of the stream's workflow that goes on now. */
  runOf(stream: string): Promise<string>;
  /**
   * Waits for the end of the stream's workflow and writes the history of its last run, or of the one given. One that is
   * recorded already stays: it is what running workflows look like.
   */
  keep(stream: string, path: string, runId?: string): Promise<void>;
  stop(): Promise<void>;
}

export interface Bidder {
  readonly providerId: string;
  readonly owner: string;
}

const JOB_EFFECTS = ['takeAward', 'replaceMembers', 'addMember', 'run', 'prove', 'settle'] as const;

export const SUBMITTER = 'subject-submitter';

/** @param others answers to the effects of aggregates that have no nodes, by `<aggregate>.<effect>`. */
export const openRecorder = async (
  servers: Pick<EngineOptions, 'databaseUrl' | 'address'>,
  others: object,
): Promise<Recorder> => {
  const scripts = new Map<string, NodeScript>();
  const jobEffect = (name: (typeof JOB_EFFECTS)[number]) => (input: never) => {
    const { lifecycles, store, providers } = engine;
    return createJobActivities({ lifecycles, store, providers, now })[`job.${name}`](input);
  };
  const engine: Engine = await openEngine({
    ...servers,
    activities: () => ({
      ...scriptedNodes((providerId) => scripts.get(providerId) ?? {}),
      'job.askStandbys': (input: never) => {
        const ask = scriptedStandbys((providerId) => scripts.get(providerId) ?? {});
        return createStandbyActivities({
          ask,
          lifecycles: engine.lifecycles,
          mayWin: async () => true,
        })['job.askStandbys'](input);
      },
      // There is no room before a scenario says so.
      'job.admit': async () => [],
      ...Object.fromEntries(JOB_EFFECTS.map((name) => [`job.${name}`, jobEffect(name)])),
      ...others,
    }),
  });
  await engine.fund(SUBMITTER, 1_000_000_000n);
  const { lifecycles, client, store, sealing, taskQueue } = engine;

  /** Streams that were begun as in the time before there were host versions. */
  const older = new Set<string>();

  const execute: Recorder['execute'] = async (stream, command, actor = SUBMITTER) => {
    const meta = metaOf(`${stream}/${command.type}/${randomBytes(4).toString('hex')}`, actor);
    const outcome = await lifecycles.execute(stream, command, meta);
    if (!outcome.ok) throw new Error(`${stream} refuses ${command.type}: ${outcome.message}`);
  };

  return {
    engine,
    execute,
    stop: () => engine.stop(),

    providers: (all) =>
      Promise.all(
        all.map(async (script, index) => {
          const type = INFRASTRUCTURE_TYPES[index % INFRASTRUCTURE_TYPES.length] ?? 'cloud_aws';
          const bidder = await engine.provider(index, type);
          scripts.set(bidder.providerId, script);
          return bidder;
        }),
      ),

    open: async (stream, command) => {
      const meta = metaOf(`${stream}/open`, SUBMITTER);
      const outcome = await lifecycles.open(aggregateOf(stream), stream, command, meta);
      if (!outcome.ok) throw new Error(`${stream} was not opened: ${outcome.message}`);
    },

    openAt: async (version, stream, command) => {
      const meta = metaOf(`${stream}/open`, SUBMITTER);
      const input: LifecycleInput = { stream, version, open: { command, meta } };
      older.add(stream);
      await client.workflow.start(aggregateOf(stream), { workflowId: stream, taskQueue, args: [input] });
    },

    bids: async (auctionId, bidders) => {
      await sealing.createKey(auctionId);
      for (const [index, bidder] of bidders.entries()) {
        const bidId = bidIdOf(auctionId, bidder.providerId);
        const price = toMicro(BigInt(1_000 * (index + 1)));
        const sealed = await sealing.seal(
          auctionId,
          JSON.stringify({ price }),
          sealContext(auctionId, bidId),
        );
        const command = { type: 'place-bid', bidId, ...bidder, sealed };
        const outcome = await lifecycles.execute(auctionId, command, metaOf(bidId, bidder.owner));
        if (!outcome.ok) throw new Error(`${auctionId} refuses a bid: ${outcome.message}`);
      }
    },

    reached: async (stream, ...states) => {
      for (;;) {
        const events = await store.readStream(stream);
        const { value } = events.length > 0 ? foldStream(stream, events) : { value: null };
        const state = typeof value === 'string' ? value : Object.keys(value ?? {})[0];
        if (state !== undefined && states.includes(state)) return;
        await sleep(LOOK_MS);
      }
    },

    told: async (stream, wanted) => {
      while (!(await store.readStream(stream)).some(({ type }) => type === wanted)) await sleep(LOOK_MS);
    },

    runOf: async (stream) => (await client.workflow.getHandle(stream).describe()).runId,

    keep: async (stream, path, runId) => {
      await client.workflow.getHandle(stream).result();
      const aggregate = aggregateOf(stream) as LifecycleName;
      const [opening] = await store.readStream(stream, { to: 0n });
      const version = Number(opening?.data['machineVersion'] ?? LIFECYCLES[aggregate].current);
      const host = older.has(stream) ? '' : `-h${HOST_VERSION}`;
      const name = `${aggregate}-v${version}${host}-${path}`;
      const isKnown = existsSync(join(HISTORIES, `${name}.json`));
      console.log(`${isKnown ? 'kept' : 'recorded'} ${name}`);
      if (!isKnown) await recordHistory(client, stream, name, runId);
    },
  };
};
