import { defineSearchAttributeKey } from '@temporalio/common';
import {
  ApplicationFailure,
  allHandlersFinished,
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  defineUpdate,
  getExternalWorkflowHandle,
  log,
  proxyLocalActivities,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import { type AnyMachineSnapshot, createActor, getInitialSnapshot } from 'xstate';
import type { DeadlineCommand, DecisionContext } from '../domain/decision.ts';
import type { Rejection } from '../domain/errors.ts';
import { type DomainEvent, eventId } from '../domain/event.ts';
import type { LedgerEntry } from '../domain/ledger/entry.ts';
import { applyEvent, type LifecycleVersion, stateName } from '../domain/lifecycle.ts';
import type { JournalReply, JournalRequest } from '../domain/ports/journal.ts';
import type { Command, CommandMeta, CommandOutcome, LifecycleView } from '../domain/ports/lifecycles.ts';
import { instant } from '../domain/time.ts';
import { Effects } from './effects.ts';
import type { Lifecycle, LifecycleEnd, LifecycleInput, Report } from './lifecycle.ts';
import { Timers } from './timers.ts';

export const commandUpdate = defineUpdate<CommandOutcome, [Command, CommandMeta]>('command');
export const reportSignal = defineSignal<[Report]>('report');
export const viewQuery = defineQuery<LifecycleView>('view');

const MACHINE_STATE = defineSearchAttributeKey('MachineState', 'KEYWORD');

/** Command answers kept so that a repeated command id meets its first answer, also after continue-as-new. */
const ANSWERS_KEPT = 512;

const { 'journal.append': append } = proxyLocalActivities<{
  'journal.append': (request: JournalRequest) => Promise<JournalReply>;
}>({
  startToCloseTimeout: '15 seconds',
  retry: { initialInterval: '100 milliseconds', maximumInterval: '2 seconds' },
});

type Accepted = Extract<CommandOutcome, { ok: true }>;

type Item =
  | {
      readonly kind: 'command';
      readonly command: Command;
      readonly meta: CommandMeta;
      readonly answer?: (outcome: CommandOutcome) => void;
    }
  | { readonly kind: 'events'; readonly events: readonly DomainEvent[]; readonly cause: string }
  | { readonly kind: 'report'; readonly report: Report };

/** One item's share of an append: its events, their money and what the machine then asks for. */
interface Staged {
  readonly item: Item;
  readonly events: readonly DomainEvent[];
  readonly entries: readonly LedgerEntry[];
  readonly actions: readonly MachineAction[];
  readonly after: AnyMachineSnapshot;
  readonly revision: number;
}

export interface MachineAction {
  readonly type: string;
  readonly params: unknown;
}

/** The timer that a deadline comes from; null for everything else. */
const deadlineIn = (item: Item): string | null =>
  item.kind === 'command' && item.command.type === 'deadline' ? (item.command as DeadlineCommand).id : null;

const cancelledBy = (actions: readonly MachineAction[]): string[] =>
  actions
    .filter(({ type }) => type === 'xstate.cancel')
    .map(({ params }) => (params as { readonly sendId: string }).sendId);

/**
 * The durable host: runs any lifecycle. For every event it appends first, then applies, then acts. Commands, deadlines,
 * effect results and reports wait in one inbox; what waits together is appended together.
 */
class Host {
  readonly #definition: Lifecycle;
  readonly #input: LifecycleInput;
  readonly #version: LifecycleVersion;
  readonly #inbox: Item[] = [];
  #wake: (() => void) | null = null;
  readonly #answers: Map<string, Omit<Accepted, 'ok'>>;
  readonly #timers: Timers;
  readonly #effects: Effects;
  #snapshot: AnyMachineSnapshot;
  #revision: number;
  #lineage: Pick<CommandMeta, 'correlationId' | 'traceparent'>;
  #refusedOpening: Rejection | null = null;
  #indexedState = '';
  readonly #reports = new Set<Promise<void>>();

  constructor(definition: Lifecycle, input: LifecycleInput) {
    const version = definition.family.versions[input.version];
    if (!version) throw new Error(`${definition.aggregate} has no machine version ${input.version}`);
    const { carried, open } = input;
    this.#definition = definition;
    this.#input = input;
    this.#version = version;
    this.#snapshot = carried
      ? (createActor(version.machine, {
          snapshot: carried.snapshot as never,
        }).getSnapshot() as AnyMachineSnapshot)
      : getInitialSnapshot(version.machine);
    this.#revision = carried?.revision ?? -1;
    this.#lineage = carried?.lineage ?? { correlationId: input.stream, traceparent: null };
    this.#answers = new Map(carried?.answered ?? []);
    this.#timers = new Timers((id, dueAt) => {
      this.#put({
        kind: 'command',
        command: { type: 'deadline', id, dueAt } as Command,
        meta: this.#engineMeta(),
      });
    });
    this.#effects = new Effects(definition, input.stream, (events, cause) => {
      this.#put({ kind: 'events', events, cause });
    });
    if (open) this.#put({ kind: 'command', ...open });
    setHandler(commandUpdate, (command, meta) => this.#receive(command, meta), {
      validator: (command, meta) => this.#validate(command, meta),
    });
    setHandler(reportSignal, (report) => this.#put({ kind: 'report', report }));
    setHandler(viewQuery, () => this.#view());
    this.#timers.restore(carried?.timers ?? []);
    this.#effects.restore(carried?.effects ?? [], this.#here());
  }

  async run(): Promise<LifecycleEnd> {
    for (;;) {
      await this.#arrival();
      await this.#step();
      // Of several openings that came together one may have succeeded: then there is something to run.
      if (this.#refusedOpening && this.#revision < 0) await this.#failOpening(this.#refusedOpening);
      if (this.#snapshot.status === 'done') break;
      if (workflowInfo().continueAsNewSuggested) await this.#continueAsNew();
    }
    // Whoever still waits gets the aggregate's own refusal from the final state.
    do {
      await this.#step();
      await condition(() => this.#inbox.length > 0 || allHandlersFinished());
    } while (this.#inbox.length > 0);
    await this.#effects.settled();
    await Promise.all(this.#reports);
    return { revision: this.#revision, version: this.#input.version, value: stateName(this.#snapshot.value) };
  }

  #put(item: Item): void {
    this.#inbox.push(item);
    this.#wake?.();
    this.#wake = null;
  }

  /** Resolves as soon as something waits. A promise: a condition would be asked again on every task. */
  #arrival(): Promise<void> {
    if (this.#inbox.length > 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  /** Cheap refusals leave no history: the validator decides on the state at hand, the turn decides again. */
  #validate(command: Command, meta: CommandMeta): void {
    if (this.#revision < 0 || this.#answers.has(meta.commandId)) return;
    const decision = this.#version.decide(this.#snapshot, command, this.#decisionContext(meta));
    if (!decision.ok) {
      throw ApplicationFailure.create({
        message: decision.message,
        type: decision.code,
        nonRetryable: true,
        details: [decision.errors ?? []],
      });
    }
  }

  #receive(command: Command, meta: CommandMeta): Promise<CommandOutcome> {
    return new Promise((answer) => this.#put({ kind: 'command', command, meta, answer }));
  }

  /** Takes what waits, decides it in order, appends it in one step, then applies and acts. */
  async #step(): Promise<void> {
    let waiting = this.#inbox.splice(0);
    while (waiting.length > 0) {
      const staged = this.#stage(waiting);
      if (staged.length === 0) return;
      const reply = await append(this.#request(staged));
      if (reply.kind === 'appended') {
        return this.#commit(staged, reply.position);
      }
      if (reply.kind === 'conflict') this.#adopt(reply.events);
      else this.#refuse(staged[reply.batch] as Staged, reply.rejection);
      const refused = reply.kind === 'refused' ? (staged[reply.batch] as Staged).item : null;
      waiting = staged.map((each) => each.item).filter((item) => item !== refused);
    }
  }

  #stage(items: readonly Item[]): Staged[] {
    const staged: Staged[] = [];
    const disarmed = new Set<string>();
    let snapshot = this.#snapshot;
    let revision = this.#revision;
    for (const item of items) {
      if (disarmed.has(deadlineIn(item) ?? '')) continue;
      const events = this.#eventsOf(item, snapshot);
      if (events.length === 0) continue;
      const entries: LedgerEntry[] = [];
      const actions: MachineAction[] = [];
      for (const event of events) {
        revision++;
        entries.push(
          ...(this.#version.movements?.(snapshot.context, event, eventId(this.#input.stream, revision)) ??
            []),
        );
        const [next, effects] = applyEvent(this.#version.machine, snapshot, event);
        snapshot = next as AnyMachineSnapshot;
        actions.push(...(effects as readonly MachineAction[]));
        for (const timer of cancelledBy(effects)) disarmed.add(timer);
      }
      staged.push({ item, events, entries, actions, after: snapshot, revision });
    }
    return staged;
  }

  /** The events an item means in this state; a refused command is answered here. */
  #eventsOf(item: Item, snapshot: AnyMachineSnapshot): readonly DomainEvent[] {
    if (item.kind === 'command') {
      const known = this.#answers.get(item.meta.commandId);
      if (known) {
        item.answer?.({ ok: true, ...known });
        return [];
      }
      const decision = this.#version.decide(snapshot, item.command, this.#decisionContext(item.meta));
      if (decision.ok) return decision.events;
      this.#answerRefusal(item, decision);
      return [];
    }
    const events =
      item.kind === 'events'
        ? item.events
        : (this.#definition.onReport?.(item.report, snapshot.context as never) ?? []);
    const [first] = events;
    if (first && !snapshot.can(first)) {
      log.debug('dropped what the state no longer takes', { stream: this.#input.stream, event: first.type });
      return [];
    }
    return events;
  }

  #answerRefusal(item: Extract<Item, { kind: 'command' }>, rejection: Rejection): void {
    item.answer?.(rejection);
    if (this.#revision < 0) this.#refusedOpening = rejection;
  }

  #refuse(staged: Staged, rejection: Rejection): void {
    // Only a caller's command may ask for money that is not there; anything else is a defect of ours.
    if (staged.item.kind !== 'command')
      throw new Error(`the ledger refused ${staged.events[0]?.type}: ${rejection.message}`);
    this.#answerRefusal(staged.item, rejection);
  }

  #request(staged: readonly Staged[]): JournalRequest {
    const { workflowId, runId } = workflowInfo();
    const last = staged.at(-1) as Staged;
    return {
      stream: this.#input.stream,
      expectedRevision: this.#revision,
      batches: staged.map(({ item, events, entries }) => ({
        context: this.#contextOf(item),
        events,
        entries,
      })),
      origin: { workflowId, runId },
      ...(last.after.status === 'done' && {
        final: {
          version: this.#input.version,
          state: { value: last.after.value, context: last.after.context },
        },
      }),
    };
  }

  #contextOf(item: Item) {
    const meta = item.kind === 'command' ? item.meta : this.#engineMeta();
    const causationId = {
      command: meta.commandId,
      events: item.kind === 'events' ? item.cause : '',
      report: item.kind === 'report' ? eventId(item.report.stream, item.report.revision) : '',
    }[item.kind];
    const { actor, traceparent } = meta;
    // A stream belongs to one journey: the one that opened it.
    const { correlationId } = this.#revision < 0 ? meta : this.#lineage;
    return { occurredAt: this.#now(), actor, correlationId, causationId, traceparent };
  }

  #commit(staged: readonly Staged[], position: string): void {
    const opening = staged[0]?.item;
    if (this.#revision < 0 && opening?.kind === 'command') this.#lineage = opening.meta;
    let acted = false;
    for (const { item, actions, after, revision } of staged) {
      this.#snapshot = after;
      this.#revision = revision;
      for (const action of actions) this.#act(action);
      acted ||= actions.length > 0;
      if (item.kind === 'command') this.#answer(item, position);
    }
    this.#publish(acted);
  }

  #answer(item: Extract<Item, { kind: 'command' }>, position: string): void {
    const answer = { position, revision: String(this.#revision), state: stateName(this.#snapshot.value) };
    if (!item.answer) return;
    this.#answers.set(item.meta.commandId, answer);
    if (this.#answers.size > ANSWERS_KEPT) this.#answers.delete(this.#answers.keys().next().value as string);
    item.answer({ ok: true, ...answer });
  }

  /** The stored events win over a decision made again with another clock (settled 2). */
  #adopt(events: readonly DomainEvent[]): void {
    if (events.length === 0) throw new Error(`${this.#input.stream} is shorter than this workflow remembers`);
    for (const event of events) {
      const [next, actions] = applyEvent(this.#version.machine, this.#snapshot, event);
      this.#snapshot = next as AnyMachineSnapshot;
      this.#revision++;
      for (const action of actions as readonly MachineAction[]) this.#act(action);
    }
    this.#publish(true);
  }

  #act(action: MachineAction): void {
    const params = action.params as {
      id: string;
      sendId: string;
      src: string;
      input: unknown;
      delay?: number;
    };
    switch (action.type) {
      case 'xstate.raise':
        // Without a delay the event is applied already; with one it is a deadline for `decide`.
        if (params.delay !== undefined) this.#timers.arm(params.id, Date.now() + params.delay);
        return;
      case 'xstate.cancel':
        return this.#disarm(params.sendId);
      case 'xstate.spawnChild':
        return this.#effects.start({ id: params.id, src: params.src, input: params.input }, this.#here());
      case 'xstate.stopChild':
        return this.#effects.stop(params.id);
      default:
        throw new Error(`the host does not know the action ${action.type}`);
    }
  }

  /** A deadline of a state that was left no longer counts, not even when it has passed and waits for its turn. */
  #disarm(id: string): void {
    this.#timers.cancel(id);
    const waiting = this.#inbox.splice(0).filter((item) => deadlineIn(item) !== id);
    this.#inbox.push(...waiting);
  }

  /** Shows the state in the Temporal UI, and tells the parent when a state it waits for was entered. */
  #publish(acted: boolean): void {
    const state = stateName(this.#snapshot.value);
    const entered = state !== this.#indexedState;
    if (entered) {
      upsertSearchAttributes([{ key: MACHINE_STATE, value: state }]);
      this.#indexedState = state;
    }
    if ((entered || acted) && this.#snapshot.hasTag('report')) {
      this.#report(state, this.#definition.report?.(this.#snapshot.context as never, state) ?? null, null);
    }
  }

  #report(state: string, body: unknown, rejection: Rejection | null): void {
    const { stream, parent } = this.#input;
    if (!parent) return;
    const report: Report = {
      aggregate: this.#definition.aggregate,
      stream,
      revision: this.#revision,
      state,
      body,
      rejection,
    };
    const sending = getExternalWorkflowHandle(parent)
      .signal(reportSignal, report)
      // The parent ended before its child: nobody is left to tell.
      .catch((error: unknown) => log.info('the parent is gone', { stream, parent, error: String(error) }))
      .finally(() => this.#reports.delete(sending));
    this.#reports.add(sending);
  }

  async #failOpening(rejection: Rejection): Promise<never> {
    this.#report('refused', null, rejection);
    await Promise.all(this.#reports);
    await condition(allHandlersFinished);
    throw ApplicationFailure.create({ message: rejection.message, type: rejection.code, nonRetryable: true });
  }

  async #continueAsNew(): Promise<void> {
    await this.#effects.settledChildren();
    await Promise.all(this.#reports);
    // A command that came meanwhile keeps its handler open until its turn: it goes first.
    await condition(() => this.#inbox.length > 0 || allHandlersFinished());
    if (this.#inbox.length > 0) return;
    const { stream, version, parent } = this.#input;
    await continueAsNew({
      stream,
      version,
      ...(parent !== undefined && { parent }),
      carried: {
        snapshot: createActor(this.#version.machine, {
          snapshot: this.#snapshot as never,
        }).getPersistedSnapshot(),
        revision: this.#revision,
        timers: this.#timers.armed(),
        effects: this.#effects.running(),
        answered: [...this.#answers],
        lineage: { correlationId: this.#lineage.correlationId, traceparent: this.#lineage.traceparent },
      },
    } satisfies LifecycleInput);
  }

  #view(): LifecycleView {
    return {
      revision: String(this.#revision),
      version: this.#input.version,
      value: this.#snapshot.value as string,
      context: this.#snapshot.context,
      running: this.#snapshot.status !== 'done',
    };
  }

  #here(): { causationId: string; meta: CommandMeta } {
    const causationId = eventId(this.#input.stream, Math.max(this.#revision, 0));
    return { causationId, meta: { ...this.#engineMeta(), causationId } };
  }

  #engineMeta(): CommandMeta {
    const { correlationId, traceparent } = this.#lineage;
    const cause = eventId(this.#input.stream, Math.max(this.#revision, 0));
    return { commandId: cause, actor: 'engine', correlationId, causationId: cause, traceparent };
  }

  #decisionContext(meta: CommandMeta): DecisionContext {
    return { now: this.#now(), actor: meta.actor };
  }

  /** Temporal's clock: it stands still within a task and reads the same on replay. */
  #now(): string {
    return instant(Date.now());
  }
}

/** Runs `definition` as the workflow `input.stream` until its machine is final. */
export const runLifecycle = (definition: Lifecycle, input: LifecycleInput): Promise<LifecycleEnd> =>
  new Host(definition, input).run();
