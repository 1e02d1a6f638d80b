import { reject } from '../../../domain/errors.ts';
import type { EventStore } from '../../../domain/ports/event-store.ts';
import type { Journal } from '../../../domain/ports/journal.ts';
import type { Command, CommandMeta, CommandOutcome, Lifecycles } from '../../../domain/ports/lifecycles.ts';
import { createMemoryLog } from '../../../infra/event-store/memory/log.ts';
import { createMemoryEventStore } from '../../../infra/event-store/memory/store.ts';
import { type Bookkeeper, createJournal } from '../../../infra/journal/journal.ts';
import { createProviders, type Providers } from '../../../infra/providers/providers.ts';
import { auctionLifecycle } from '../../../workflows/auction.ts';
import { enclaveLifecycle } from '../../../workflows/enclave.ts';
import { jobLifecycle } from '../../../workflows/job.ts';
import type { ChildrenEffect, Lifecycle, RunningEffect } from '../../../workflows/lifecycle.ts';
import { quorumLifecycle } from '../../../workflows/quorum.ts';
import { SimulatedHost, type Surroundings } from '../host.ts';
import { type Activities, metaOf } from '../world.ts';
import type { Clock } from './clock.ts';

const FAMILIES: Readonly<Record<string, Lifecycle>> = {
  auction: auctionLifecycle,
  quorum: quorumLifecycle,
  enclave: enclaveLifecycle,
  job: jobLifecycle,
};

/** How long an effect and the way of a report take, ms: about what the README's timeline shows of a local stack. */
const EFFECT_MS = 40;
const REPORT_MS = 10;

/** A whole engine whose timers and effects take simulated time: the real rules, effects and journal. */
export interface Engine {
  readonly clock: Clock;
  readonly store: EventStore;
  readonly journal: Journal & Bookkeeper;
  readonly providers: Providers;
  readonly lifecycles: Omit<Lifecycles, 'send'>;
  readonly hosts: ReadonlyMap<string, SimulatedHost>;
}

export const createEngine = (clock: Clock, activitiesOf: (engine: Engine) => Activities): Engine => {
  const { now } = clock;
  const store = createMemoryEventStore({ log: createMemoryLog({ now }) });
  const journal = createJournal({ store });
  const providers = createProviders({ store, books: journal, now });
  const hosts = new Map<string, SimulatedHost>();
  /** A host does one thing after the other. */
  const busy = new Map<SimulatedHost, Promise<unknown>>();
  const armed = new Map<SimulatedHost, Map<string, number>>();

  const arm = (host: SimulatedHost): void => {
    const known = armed.get(host) ?? new Map<string, number>();
    armed.set(host, known);
    for (const [id, dueAt] of host.timers) {
      if (known.get(id) === dueAt) continue;
      known.set(id, dueAt);
      clock.after(dueAt - clock.nowMs(), () =>
        inTurn(host, async () => {
          if (host.timers.get(id) !== dueAt) return;
          known.delete(id);
          await host.fire(id);
        }),
      );
    }
  };

  const inTurn = <T>(host: SimulatedHost, work: () => Promise<T>): Promise<T> => {
    const before = busy.get(host) ?? Promise.resolve();
    const done = before.then(work).finally(() => arm(host));
    // Whoever asked hears of a failure; the next one in turn does not.
    busy.set(
      host,
      done.catch(() => undefined),
    );
    return done;
  };

  const perform = async (host: SimulatedHost, effect: RunningEffect): Promise<void> => {
    const name = `${host.lifecycle.aggregate}.${effect.src}`;
    const activity = activities[name];
    if (!activity) throw new Error(`nobody answers ${name}`);
    const events = await activity(effect.input as never);
    if (host.effects.get(effect.id) !== effect) return;
    host.effects.delete(effect.id);
    const cause = `${host.stream}@${host.revision}`;
    await inTurn(host, () => host.take({ kind: 'events', events, cause }));
  };

  const bear = async (host: SimulatedHost, effect: RunningEffect): Promise<void> => {
    const policy = host.lifecycle.effects[effect.src] as ChildrenEffect<unknown>;
    for (const { aggregate, stream, command } of policy.start(effect.input))
      if (!hosts.has(stream))
        await start(aggregate, stream, command, metaOf(`${stream}/open`, 'engine'), host.stream);
  };

  const surroundings: Surroundings = {
    journal,
    now,
    startEffect: (host, effect) => {
      const isBirth = host.lifecycle.effects[effect.src]?.kind === 'children';
      clock.after(EFFECT_MS, () => (isBirth ? bear(host, effect) : perform(host, effect)));
    },
    send: (parent, report) =>
      clock.after(REPORT_MS, async () => {
        const host = hosts.get(parent);
        if (host) await inTurn(host, () => host.take({ kind: 'report', report }));
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
    if (running) return inTurn(running, () => running.execute(command, meta));
    const host = new SimulatedHost(FAMILIES[aggregate] as Lifecycle, stream, surroundings, parent);
    hosts.set(stream, host);
    const outcome = await inTurn(host, () => host.execute(command, meta));
    if (outcome.ok) return outcome;
    hosts.delete(stream);
    host.refuse(outcome);
    return outcome;
  };

  const lifecycles: Omit<Lifecycles, 'send'> = {
    open: start,
    tell: async (stream, command, meta) => void (await lifecycles.execute(stream, command, meta)),
    execute: async (stream, command, meta) => {
      const host = hosts.get(stream);
      if (!host) return reject('RESOURCE_NOT_FOUND', `${stream} does not exist`);
      return inTurn(host, () => host.execute(command, meta));
    },
    decided: async () => null,
    inspect: async () => null,
  };

  const engine: Engine = { clock, store, journal, providers, lifecycles, hosts };
  const activities = activitiesOf(engine);
  return engine;
};
