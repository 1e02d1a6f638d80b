import {
  ApplicationFailure,
  allHandlersFinished,
  condition,
  continueAsNew,
  defineQuery,
  defineUpdate,
  log,
  proxyLocalActivities,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import { type AnyMachineSnapshot, createActor, getInitialSnapshot } from 'xstate';
import type { DeadlineCommand, DecisionContext } from '../domain/decision.ts';
import type { Rejection } from '../domain/errors.ts';
import { type DomainEvent, eventId } from '../domain/event.ts';
import { type LifecycleVersion, type MachineAction, stateName } from '../domain/lifecycle.ts';
import type { FollowingEffect, JournalRequest, StepReply } from '../domain/ports/journal.ts';
import type { Command, CommandMeta, CommandOutcome, LifecycleView } from '../domain/ports/lifecycles.ts';
import { plainState, type Staged, stageEvents } from '../domain/staging.ts';
import { Answers } from './answers.ts';
import { now } from './clock.ts';
import { Effects, startedBy } from './effects.ts';
import type { Lifecycle, LifecycleEnd, LifecycleInput, Report, RunningEffect } from './lifecycle.ts';
import { Publisher, reportSignal } from './publisher.ts';
import { Timers } from './timers.ts';

export const commandUpdate = defineUpdate<CommandOutcome, [Command, CommandMeta]>('command');
export const viewQuery = defineQuery<LifecycleView>('view');

const { 'journal.append': append } = proxyLocalActivities<{
  'journal.append': (request: JournalRequest, next?: FollowingEffect) => Promise<StepReply>;
}>({
  startToCloseTimeout: '15 seconds',
  retry: { initialInterval: '100 milliseconds', maximumInterval: '2 seconds' },
});

type Item =
  | {
      readonly kind: 'command';
      readonly command: Command;
      readonly meta: CommandMeta;
      readonly answer?: (outcome: CommandOutcome) => void;
    }
  | { readonly kind: 'events'; readonly events: readonly DomainEvent[]; readonly cause: string }
  | { readonly kind: 'report'; readonly report: Report };

/** One item's share of an append. */
interface StagedItem extends Staged {
  readonly item: Item;
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
  readonly #answers: Answers;
  readonly #timers: Timers;
  readonly #effects: Effects;
  #snapshot: AnyMachineSnapshot;
  #revision: number;
  #lineage: Pick<CommandMeta, 'correlationId' | 'traceparent'>;
  #refusedOpening: Rejection | null = null;
  readonly #publisher: Publisher;

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
    this.#answers = new Answers(carried?.answered ?? []);
    this.#publisher = new Publisher(definition, input);
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

  /** One turn after the other: takes what waits, decides it in order, appends it in one step, applies and acts. */
  async run(): Promise<LifecycleEnd> {
    for (;;) {
      if (this.#inbox.length === 0) await this.#arrival();
      const staged = this.#stage(this.#inbox.splice(0));
      if (staged.length > 0) {
        const next = this.#following(staged);
        this.#settle(staged, next, await append(...this.#request(staged, next)));
      }
      if (this.#inbox.length > 0) continue;
      // Of several openings that came together one may have succeeded: then there is something to run.
      if (this.#refusedOpening && this.#revision < 0) await this.#failOpening(this.#refusedOpening);
      if (this.#snapshot.status === 'done') {
        // Whoever still comes gets the aggregate's own refusal from the final state.
        await condition(() => this.#inbox.length > 0 || allHandlersFinished());
        if (this.#inbox.length === 0) break;
      } else if (workflowInfo().continueAsNewSuggested) {
        await this.#continueAsNew();
      }
    }
    await this.#effects.settled();
    await this.#publisher.settled();
    return { revision: this.#revision, version: this.#input.version, value: stateName(this.#snapshot.value) };
  }

  #put(item: Item): void {
    this.#inbox.push(item);
    this.#wake?.();
    this.#wake = null;
  }

  /** Resolves as soon as something waits. A promise: a condition would be asked again on every task. */
  #arrival(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  /** Cheap refusals leave no history: the validator decides on the state at hand, the turn decides again. */
  #validate(command: Command, meta: CommandMeta): void {
    if (this.#revision < 0 || this.#answers.of(meta.commandId)) return;
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

  /** What was not written waits again, before everything that came meanwhile. */
  #settle(staged: readonly StagedItem[], next: RunningEffect | undefined, reply: StepReply): void {
    if (reply.kind === 'appended') {
      this.#commit(staged, reply.position, reply.followed && next);
      if (reply.followed && reply.followed.length > 0) this.#adopt(reply.followed);
      return;
    }
    const refused = reply.kind === 'refused' ? staged[reply.batch] : undefined;
    this.#inbox.unshift(...staged.filter((each) => each !== refused).map(({ item }) => item));
    if (reply.kind === 'conflict') this.#adopt(reply.events);
    else this.#refuse(refused as StagedItem, reply.rejection);
  }

  #stage(items: readonly Item[]): StagedItem[] {
    const staged: StagedItem[] = [];
    const disarmed = new Set<string>();
    let standing = { snapshot: this.#snapshot, revision: this.#revision };
    for (const item of items) {
      if (disarmed.has(deadlineIn(item) ?? '')) continue;
      const events = this.#eventsOf(item, standing.snapshot);
      if (events.length === 0) continue;
      const next = stageEvents(this.#version, this.#input.stream, standing, events);
      for (const timer of cancelledBy(next.actions)) disarmed.add(timer);
      staged.push({ ...next, item });
      standing = next;
    }
    return staged;
  }

  /** The local effect that a step leads to, when it is the only one: it can run where the step is appended. */
  #following(staged: readonly StagedItem[]): RunningEffect | undefined {
    const started = startedBy(staged.flatMap(({ actions }) => actions));
    const local = started.filter(({ src }) => this.#effects.isLocal(src));
    return local.length === 1 ? local[0] : undefined;
  }

  /** The events an item means in this state; a refused command is answered here. */
  #eventsOf(item: Item, snapshot: AnyMachineSnapshot): readonly DomainEvent[] {
    if (item.kind === 'command') {
      const known = this.#answers.of(item.meta.commandId);
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

  #refuse(staged: StagedItem, rejection: Rejection): void {
    // Only a caller's command may ask for money that is not there; anything else is a defect of ours.
    if (staged.item.kind !== 'command')
      throw new Error(`the ledger refused ${staged.events[0]?.type}: ${rejection.message}`);
    this.#answerRefusal(staged.item, rejection);
  }

  #request(
    staged: readonly StagedItem[],
    next: RunningEffect | undefined,
  ): [JournalRequest, FollowingEffect?] {
    const { stream, version } = this.#input;
    const { workflowId, runId } = workflowInfo();
    const last = staged.at(-1) as StagedItem;
    const request: JournalRequest = {
      stream,
      expectedRevision: this.#revision,
      batches: staged.map(({ item, events, entries }) => ({
        context: this.#contextOf(item),
        events,
        entries,
      })),
      origin: { workflowId, runId },
      ...(last.snapshot.status === 'done' && { final: { version, state: plainState(last.snapshot) } }),
    };
    if (!next) return [request];
    const following: FollowingEffect = {
      name: `${this.#definition.aggregate}.${next.src}`,
      input: next.input,
      version,
      state: plainState(last.snapshot),
      context: {
        ...this.#contextOf(last.item),
        actor: 'engine',
        causationId: eventId(stream, last.revision),
      },
    };
    return [request, following];
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
    return { occurredAt: now(), actor, correlationId, causationId, traceparent };
  }

  /** Takes over what was appended. The effect that already `ran` behind it is not started again. */
  #commit(staged: readonly StagedItem[], position: string, ran: RunningEffect | undefined): void {
    const opening = staged[0]?.item;
    if (this.#revision < 0 && opening?.kind === 'command') this.#lineage = opening.meta;
    let acted = false;
    for (const { item, actions, snapshot, revision } of staged) {
      this.#snapshot = snapshot;
      this.#revision = revision;
      for (const action of actions) this.#act(action, ran);
      acted ||= actions.length > 0;
      if (item.kind === 'command') this.#answer(item, position);
    }
    this.#publish(acted);
  }

  #answer(item: Extract<Item, { kind: 'command' }>, position: string): void {
    if (!item.answer) return;
    const answer = { position, revision: String(this.#revision), state: stateName(this.#snapshot.value) };
    this.#answers.keep(item.meta.commandId, answer);
    item.answer({ ok: true, ...answer });
  }

  /** The stored events win over a decision made again with another clock (settled 2). */
  #adopt(events: readonly DomainEvent[]): void {
    if (events.length === 0) throw new Error(`${this.#input.stream} is shorter than this workflow remembers`);
    const staged = stageEvents(
      this.#version,
      this.#input.stream,
      { snapshot: this.#snapshot, revision: this.#revision },
      events,
    );
    this.#snapshot = staged.snapshot;
    this.#revision = staged.revision;
    for (const action of staged.actions) this.#act(action);
    this.#publish(true);
  }

  #act(action: MachineAction, ran?: RunningEffect): void {
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
        if (params.id === ran?.id) return;
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

  #publish(acted: boolean): void {
    this.#publisher.publish({ snapshot: this.#snapshot, revision: this.#revision }, acted);
  }

  async #failOpening(rejection: Rejection): Promise<never> {
    this.#publisher.refused(this.#revision, rejection);
    await this.#publisher.settled();
    await condition(allHandlersFinished);
    throw ApplicationFailure.create({ message: rejection.message, type: rejection.code, nonRetryable: true });
  }

  async #continueAsNew(): Promise<void> {
    await this.#effects.settledChildren();
    await this.#publisher.settled();
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
        answered: this.#answers.all(),
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
    return { now: now(), actor: meta.actor };
  }
}

/** Runs `definition` as the workflow `input.stream` until its machine is final. */
export const runLifecycle = (definition: Lifecycle, input: LifecycleInput): Promise<LifecycleEnd> =>
  new Host(definition, input).run();
