import { type AnyMachineSnapshot, getInitialSnapshot } from 'xstate';
import type { Rejection } from '../../domain/errors.ts';
import { type DomainEvent, type EventContext, eventId } from '../../domain/event.ts';
import type { LedgerEntry } from '../../domain/ledger/entry.ts';
import { applyEvent, stateName } from '../../domain/lifecycle.ts';
import type { Journal } from '../../domain/ports/journal.ts';
import type { Command, CommandMeta, CommandOutcome, Report } from '../../domain/ports/lifecycles.ts';
import { epochMs, instant } from '../../domain/time.ts';
import {
  type Lifecycle,
  type LifecycleAt,
  lifecycleAt,
  type RunningEffect,
} from '../../workflows/lifecycle.ts';

export type Item =
  | { readonly kind: 'command'; readonly command: Command; readonly meta: CommandMeta }
  | { readonly kind: 'events'; readonly events: readonly DomainEvent[]; readonly cause: string }
  | { readonly kind: 'report'; readonly report: Report };

/** What a host asks of the world around it. */
export interface Surroundings {
  readonly journal: Journal;
  readonly now: () => string;
  readonly startEffect: (host: SimulatedHost, effect: RunningEffect) => void;
  readonly send: (parent: string, report: Report) => void;
}

/**
 * The rules of the durable host without its durability: one item at a time is decided, appended, applied and acted
 * upon. Timers and effects are only noted; whoever drives the simulation chooses what happens next.
 */
export class SimulatedHost {
  readonly stream: string;
  readonly lifecycle: LifecycleAt;
  /** Armed deadlines: due instant in epoch ms by id. */
  readonly timers = new Map<string, number>();
  readonly effects = new Map<string, RunningEffect>();
  snapshot: AnyMachineSnapshot;
  revision = -1;
  readonly #world: Surroundings;
  readonly #parent: string | undefined;
  readonly #answers = new Map<string, CommandOutcome>();
  #state = '';
  /** When what came before is done, whatever came of it: its own callers hear of that. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(lifecycle: Lifecycle, stream: string, world: Surroundings, parent?: string) {
    this.lifecycle = lifecycleAt(lifecycle, lifecycle.family.current);
    this.stream = stream;
    this.#world = world;
    this.#parent = parent;
    this.snapshot = getInitialSnapshot(this.lifecycle.version.machine);
  }

  get ended(): boolean {
    return this.snapshot.status === 'done';
  }

  execute(command: Command, meta: CommandMeta): Promise<CommandOutcome> {
    return this.#inTurn(() => this.#execute(command, meta));
  }

  async #execute(command: Command, meta: CommandMeta): Promise<CommandOutcome> {
    const known = this.#answers.get(meta.commandId);
    if (known) return known;
    const decision = this.lifecycle.version.decide(this.snapshot, command, {
      now: this.#world.now(),
      actor: meta.actor,
    });
    if (!decision.ok) return decision;
    const outcome = await this.#write(decision.events, { kind: 'command', command, meta });
    if (outcome.ok) this.#answers.set(meta.commandId, outcome);
    return outcome;
  }

  fire(id: string): Promise<CommandOutcome> {
    const dueAt = instant(this.timers.get(id) as number);
    this.timers.delete(id);
    const cause = eventId(this.stream, this.revision);
    const meta = {
      commandId: `${cause}/${id}`,
      actor: 'engine',
      correlationId: this.stream,
      causationId: cause,
      traceparent: null,
    };
    return this.execute({ type: 'deadline', id, dueAt } as Command, meta);
  }

  /** The answer of an effect or the report of a child; dropped when the state no longer takes it. */
  take(item: Extract<Item, { kind: 'events' | 'report' }>): Promise<void> {
    return this.#inTurn(() => this.#take(item));
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work);
    this.#turn = turn.then(
      () => undefined,
      () => undefined,
    );
    return turn;
  }

  async #take(item: Extract<Item, { kind: 'events' | 'report' }>): Promise<void> {
    const events =
      item.kind === 'events'
        ? item.events
        : (this.lifecycle.onReport?.(item.report, this.snapshot.context as never) ?? []);
    const [first] = events;
    if (!first || this.ended || !this.snapshot.can(first)) return;
    const outcome = await this.#write(events, item);
    if (!outcome.ok) throw new Error(`the ledger refused ${first.type}: ${outcome.message}`);
  }

  refuse(rejection: Rejection): void {
    this.#report('refused', null, rejection);
  }

  async #write(events: readonly DomainEvent[], item: Item): Promise<CommandOutcome> {
    const entries: LedgerEntry[] = [];
    const actions: { readonly type: string; readonly params: unknown }[] = [];
    let next = this.snapshot;
    for (const [index, event] of events.entries()) {
      const id = eventId(this.stream, this.revision + index + 1);
      entries.push(...(this.lifecycle.version.movements?.(next.context, event, id) ?? []));
      const [after, effects] = applyEvent(this.lifecycle.version.machine, next, event);
      next = after;
      actions.push(...effects);
    }
    const reply = await this.#world.journal.append({
      stream: this.stream,
      expectedRevision: this.revision,
      batches: [{ context: this.#contextOf(item), events, entries }],
      origin: { workflowId: this.stream, runId: null },
    });
    if (reply.kind === 'refused') return reply.rejection;
    if (reply.kind === 'conflict') throw new Error(`somebody else wrote to ${this.stream}`);
    this.snapshot = next;
    this.revision += events.length;
    for (const action of actions) this.#act(action);
    this.#publish(actions.length > 0);
    const { position } = reply;
    return { ok: true, position, revision: String(this.revision), state: stateName(next.value) };
  }

  #contextOf(item: Item): EventContext {
    const common = { occurredAt: this.#world.now(), correlationId: this.stream, traceparent: null };
    switch (item.kind) {
      case 'command':
        return { ...common, actor: item.meta.actor, causationId: item.meta.commandId };
      case 'events':
        return { ...common, actor: 'engine', causationId: item.cause };
      case 'report':
        return {
          ...common,
          actor: 'engine',
          causationId: eventId(item.report.stream, item.report.revision),
        };
    }
  }

  #act({ type, params }: { readonly type: string; readonly params: unknown }): void {
    const { id, sendId, src, input, delay } = params as RunningEffect & { sendId: string; delay?: number };
    switch (type) {
      case 'xstate.raise':
        if (delay === undefined) throw new Error('a machine moved itself by an event that the log lacks');
        this.timers.set(id, epochMs(this.#world.now()) + delay);
        return;
      case 'xstate.cancel':
        this.timers.delete(sendId);
        return;
      case 'xstate.spawnChild': {
        const effect = { id, src, input };
        this.effects.set(id, effect);
        this.#world.startEffect(this, effect);
        return;
      }
      case 'xstate.stopChild':
        this.effects.delete(id);
        return;
      default:
        throw new Error(`unknown action ${type}`);
    }
  }

  #publish(acted: boolean): void {
    const state = stateName(this.snapshot.value);
    const entered = state !== this.#state;
    this.#state = state;
    if ((entered || acted) && this.snapshot.hasTag('report')) {
      this.#report(state, this.lifecycle.report?.(this.snapshot.context as never, state) ?? null, null);
    }
  }

  #report(state: string, body: unknown, rejection: Rejection | null): void {
    if (this.#parent === undefined) return;
    const { stream, revision } = this;
    this.#world.send(this.#parent, {
      aggregate: this.lifecycle.aggregate,
      stream,
      revision,
      state,
      body,
      rejection,
    });
  }
}
