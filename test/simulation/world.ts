import { reject } from '../../domain/errors.ts';
import type { DomainEvent } from '../../domain/event.ts';
import type { EventStore } from '../../domain/ports/event-store.ts';
import type { Journal } from '../../domain/ports/journal.ts';
import type { Command, CommandMeta, CommandOutcome, Lifecycles } from '../../domain/ports/lifecycles.ts';
import { instant } from '../../domain/time.ts';
import { createMemoryLog } from '../../infra/event-store/memory/log.ts';
import { createMemoryEventStore } from '../../infra/event-store/memory/store.ts';
import { type Bookkeeper, createJournal } from '../../infra/journal/journal.ts';
import { createProviders, type Providers } from '../../infra/providers/providers.ts';
import { auctionLifecycle } from '../../workflows/auction.ts';
import { enclaveLifecycle } from '../../workflows/enclave.ts';
import { jobLifecycle } from '../../workflows/job.ts';
import type { ActivityEffect, ChildrenEffect, Lifecycle, RunningEffect } from '../../workflows/lifecycle.ts';
import { quorumLifecycle } from '../../workflows/quorum.ts';
import { SimulatedHost, type Surroundings } from './host.ts';

const FAMILIES: Readonly<Record<string, Lifecycle>> = {
  auction: auctionLifecycle,
  quorum: quorumLifecycle,
  enclave: enclaveLifecycle,
  job: jobLifecycle,
};

/** Draws a whole number from 0 to `below` − 1. */
export type Draw = (below: number) => number;

/** Answers effects by name, e.g. `auction.openBids`. */
export type Activities = Readonly<Record<string, (input: never) => Promise<readonly DomainEvent[]>>>;

/** Something that can happen now. Steps of the same `order` happen in the order they came in, as signals do. */
interface Step {
  readonly order?: string;
  readonly run: () => Promise<unknown>;
}

const STEP_LIMIT = 3000;
const EPOCH = Date.UTC(2026, 0, 1);

export const metaOf = (commandId: string, actor: string): CommandMeta => ({
  commandId,
  actor,
  correlationId: commandId,
  causationId: commandId,
  traceparent: null,
});

/** What a scenario and its activities may use. */
export interface World {
  readonly store: EventStore;
  readonly journal: Journal & Bookkeeper;
  readonly providers: Providers;
  readonly lifecycles: Omit<Lifecycles, 'send'>;
  readonly hosts: ReadonlyMap<string, SimulatedHost>;
  readonly now: () => string;
  readonly draw: Draw;
  /** Adds something that happens at some time. */
  soon(run: () => Promise<unknown>): void;
  /**
   * Runs `steps` steps or until nothing more can happen, and answers how many it took.
   * @throws when that takes too long: somebody waits for ever.
   */
  run(steps?: number): Promise<number>;
}

/** A whole engine in one process and one thread: the real rules, effects and journal, in an order drawn at random. */
export const createWorld = (draw: Draw, activitiesOf: (world: World) => Activities): World => {
  let clock = EPOCH;
  /** Deadlines overtake one step in so many: in some worlds everything is late, in others hardly anything. */
  const overtaking = [16, 100, 1000][draw(3)] as number;
  const now = (): string => instant(clock);
  const store = createMemoryEventStore({ log: createMemoryLog({ now }) });
  const journal = createJournal({ store });
  const providers = createProviders({ store, books: journal, now });
  const hosts = new Map<string, SimulatedHost>();
  const steps: Step[] = [];
  /** A server starts children before anything else can happen. */
  const births: (() => Promise<unknown>)[] = [];

  const surroundings: Surroundings = {
    journal,
    now,
    startEffect: (host, effect) => {
      if (host.lifecycle.effects[effect.src]?.kind === 'children') births.push(() => bear(host, effect));
      else steps.push({ run: () => perform(host, effect) });
    },
    send: (parent, report) =>
      steps.push({
        order: `${report.stream} to ${parent}`,
        run: async () => hosts.get(parent)?.take({ kind: 'report', report }),
      }),
  };

  const start = async (
    aggregate: string,
    stream: string,
    command: Command,
    meta: CommandMeta,
    parent?: string,
  ): Promise<CommandOutcome> => {
    const running = hosts.get(stream);
    if (running) return running.execute(command, meta);
    const host = new SimulatedHost(FAMILIES[aggregate] as Lifecycle, stream, surroundings, parent);
    hosts.set(stream, host);
    const outcome = await host.execute(command, meta);
    if (outcome.ok) return outcome;
    hosts.delete(stream);
    host.refuse(outcome);
    return outcome;
  };

  const lifecycles: Omit<Lifecycles, 'send'> = {
    open: start,
    tell: async (stream, command, meta) => void (await lifecycles.execute(stream, command, meta)),
    execute: async (stream, command, meta) =>
      hosts.get(stream)?.execute(command, meta) ?? reject('RESOURCE_NOT_FOUND', `${stream} does not exist`),
    decided: async () => null,
    inspect: async () => null,
  };

  const bear = async (host: SimulatedHost, effect: RunningEffect): Promise<void> => {
    const policy = host.lifecycle.effects[effect.src] as ChildrenEffect<unknown>;
    for (const { aggregate, stream, command } of policy.start(effect.input))
      if (!hosts.has(stream))
        await start(aggregate, stream, command, metaOf(`${stream}/open`, 'engine'), host.stream);
  };

  /** One effect: it may begin although nobody wants it any more, run twice, fail for good, or answer late. */
  const perform = async (host: SimulatedHost, effect: RunningEffect): Promise<void> => {
    const { aggregate, effects } = host.lifecycle;
    const policy = effects[effect.src] as ActivityEffect<unknown>;
    const wanted = () => host.effects.get(effect.id) === effect;
    if (!wanted() && draw(2) === 0) return;
    const activity = activities[`${aggregate}.${effect.src}`];
    if (!activity) throw new Error(`nobody answers ${aggregate}.${effect.src}`);
    let events = await activity(effect.input as never);
    if (draw(20) === 0) events = await activity(effect.input as never);
    // Without a bound on its attempts it is repeated until it is done.
    const givesUp = policy.options.retry?.maximumAttempts !== undefined;
    if (givesUp && draw(40) === 0) events = policy.failed(effect.input, 'it crashed');
    const cause = `${host.stream}@${host.revision}`;
    steps.push({
      run: async () => {
        if (!wanted()) return;
        host.effects.delete(effect.id);
        await host.take({ kind: 'events', events, cause });
      },
    });
  };

  /** The next step: the chosen one, or the earliest that it has to wait for. */
  const takeStep = (): Step => {
    const chosen = steps[draw(steps.length)] as Step;
    const index = steps.findIndex((step) => step === chosen || (step.order && step.order === chosen.order));
    return steps.splice(index, 1)[0] as Step;
  };

  const earliest = (): { host: SimulatedHost; id: string; dueAt: number } | null => {
    let first: { host: SimulatedHost; id: string; dueAt: number } | null = null;
    for (const host of hosts.values())
      for (const [id, dueAt] of host.timers) if (!first || dueAt < first.dueAt) first = { host, id, dueAt };
    return first;
  };

  const world: World = {
    store,
    journal,
    providers,
    lifecycles,
    hosts,
    now,
    draw,

    soon(run) {
      steps.push({ run });
    },

    async run(limit = Number.POSITIVE_INFINITY) {
      let count = 0;
      for (; count < limit; count++) {
        if (count > STEP_LIMIT) throw new Error('it does not come to an end');
        for (const birth of births.splice(0)) await birth();
        const timer = earliest();
        if (steps.length > 0 && (!timer || draw(overtaking) !== 0)) {
          clock += draw(1500);
          await takeStep().run();
        } else if (timer) {
          clock = Math.max(clock, timer.dueAt);
          await timer.host.fire(timer.id);
        } else break;
      }
      return count;
    },
  };
  const activities = activitiesOf(world);
  return world;
};
