import {
  ApplicationFailure,
  allHandlersFinished,
  CancellationScope,
  condition,
  continueAsNew,
  currentUpdateInfo,
  defineQuery,
  defineSignal,
  defineUpdate,
  log,
  proxyLocalActivities,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import { type AnyMachineSnapshot, createActor, getInitialSnapshot } from 'xstate';
import { type DecisionContext, unreadable } from '../domain/decision.ts';
import { type Rejection, reject } from '../domain/errors.ts';
import { aggregateOf, type DomainEvent, type EventContext, eventId } from '../domain/event.ts';
import { contradicts, fingerprintOf } from '../domain/fingerprint.ts';
import { type MachineAction, RefusedEventError, stateName } from '../domain/lifecycle.ts';
import type {
  Aftermath,
  Ask,
  FollowedStep,
  FollowingEffect,
  JournalRequest,
  StepReply,
} from '../domain/ports/journal.ts';
import type {
  Command,
  CommandMeta,
  CommandOutcome,
  LifecycleView,
  Outgoing,
  Report,
} from '../domain/ports/lifecycles.ts';
import { isForged } from '../domain/ports/seals.ts';
import {
  type AskedEffect,
  plainState,
  type Staged,
  type Standing,
  stageEvents,
  startedBy,
} from '../domain/staging.ts';
import { epochMs } from '../domain/time.ts';
import { type Asked, asksOf, cancelledBy, remaining, stoppedBy } from './actions.ts';
import { Alarm } from './alarm.ts';
import { Answers } from './answers.ts';
import { refuseForged } from './calls.ts';
import { ChangedRuleError } from './changed-rule-error.ts';
import { now } from './clock.ts';
import { type Asker, Effects } from './effects.ts';
import { type CommandItem, deadlineIn, Inbox, type Item } from './inbox.ts';
import {
  type Lifecycle,
  type LifecycleAt,
  type LifecycleEnd,
  type LifecycleInput,
  lifecycleAt,
} from './lifecycle.ts';
import { Outbox } from './outbox.ts';
import { Publisher, reportSignal, type StateReport } from './publisher.ts';
import { Reports } from './reports.ts';
import { TakenOver } from './taken-over.ts';
import { type Deadlines, Timers } from './timers.ts';

export const commandUpdate = defineUpdate<CommandOutcome, [Command, CommandMeta]>('command');
/** A command of the engine that nobody waits for; the last word tells it from what an update has said. */
export const tellSignal = defineSignal<[Command, CommandMeta, typeof TOLD]>('tell');
const TOLD = 'told';
export const viewQuery = defineQuery<LifecycleView>('view');

const { 'journal.append': append, 'journal.follow': follow } = proxyLocalActivities<{
  'journal.append': (
    request: JournalRequest,
    next?: FollowingEffect | null,
    outgoing?: Outgoing,
  ) => Promise<StepReply>;
  'journal.follow': (
    request: JournalRequest,
    next: FollowingEffect,
    outgoing: Outgoing | null,
  ) => Promise<Aftermath>;
}>({
  startToCloseTimeout: '15 seconds',
  retry: {
    initialInterval: '100 milliseconds',
    maximumInterval: '2 seconds',
    nonRetryableErrorTypes: ['UnstorableError'],
  },
});

/** An append, the effect that runs right behind it, when there is one, and what it has to say to others. */
interface Step {
  readonly request: JournalRequest;
  readonly next: FollowingEffect | null;
  readonly outgoing: Outgoing | null;
}

/** Each argument is a payload to encode and seal: none for what there is not. */
const argumentsOf = ({ request, next, outgoing }: Step): Parameters<typeof append> => {
  if (outgoing) return [request, next, outgoing];
  return next ? [request, next] : [request];
};

/** What stands behind a step: an effect, and the events that it answered with. */
interface Behind extends Staged {
  readonly effect: string;
  readonly context: EventContext;
}

/** One item's share of an append. */
interface StagedItem extends Staged {
  readonly item: Item;
  readonly context: EventContext;
}

/**
 * The durable host: runs any lifecycle. For every event it appends first, then applies, then acts. Commands, deadlines,
 * effect results and reports wait in one inbox; what waits together is appended together. It waits only where there is
 * something to wait for: Temporal notes the stack of every promise, which is most of what a turn costs.
 */
class Host {
  readonly #lifecycle: LifecycleAt;
  readonly #input: LifecycleInput;
  readonly #inbox = new Inbox();
  readonly #answers: Answers;
  readonly #reports: Reports;
  readonly #takenOver: TakenOver;
  readonly #timers: Deadlines;
  readonly #effects: Effects;
  readonly #publisher: Publisher;
  /** Since host version 3. */
  readonly #outbox: Outbox | null;
  /** Commands that this lifecycle was told: each is heard once. */
  readonly #told: Set<string>;
  #snapshot: AnyMachineSnapshot;
  #revision: number;
  #position: string;
  #lineage: Pick<CommandMeta, 'correlationId' | 'traceparent'>;
  #refusedOpening: Rejection | null = null;
  /** What was asked for since the last append, for the next one's fingerprint to cover. */
  #unsaid: Ask[] = [];
  /** What goes on in this turn, once the parent is told; since host version 4. */
  #pending: Asked | null = null;

  constructor(definition: Lifecycle, input: LifecycleInput) {
    const lifecycle = lifecycleAt(definition, input.version);
    const { machine } = lifecycle.version;
    const { carried, open } = input;
    this.#lifecycle = lifecycle;
    this.#input = input;
    this.#snapshot = carried
      ? (createActor(machine, {
          snapshot: carried.snapshot as never,
        }).getSnapshot() as AnyMachineSnapshot)
      : getInitialSnapshot(machine);
    this.#revision = carried?.revision ?? -1;
    this.#position = carried?.position ?? '0';
    this.#lineage = carried?.lineage ?? { correlationId: input.stream, traceparent: null };
    this.#answers = new Answers(carried?.answered ?? []);
    this.#reports = new Reports(carried?.reports);
    this.#takenOver = new TakenOver(carried?.takenOver);
    this.#publisher = new Publisher(lifecycle, input, carried?.shown);
    this.#told = new Set(carried?.told);
    const isOld = (input.host ?? 1) < 3;
    this.#outbox = isOld ? null : new Outbox(input.parent);
    this.#timers = new (isOld ? Timers : Alarm)((id, dueAt) => {
      this.#inbox.put({
        kind: 'command',
        command: { type: 'deadline', id, dueAt } as Command,
        meta: this.#engineMeta(),
      });
    });
    this.#effects = new Effects(lifecycle, input, (item) => this.#inbox.put(item), this.#outbox);
    if (open) this.#inbox.put({ kind: 'command', ...open });
    setHandler(commandUpdate, (command, meta) => this.#receive(command, meta), {
      validator: (command, meta) => this.#validate(command, meta),
    });
    setHandler(reportSignal, (report) => {
      if (isReport(report)) this.#inbox.put({ kind: 'report', report });
      else log.warn('a report that no child has sent', { stream: input.stream });
    });
    setHandler(tellSignal, (command, meta, word) => this.#hear(command, meta, word));
    setHandler(viewQuery, () => this.#view());
    this.#timers.restore(carried?.timers ?? []);
    this.#effects.restore(carried?.effects ?? [], this.#askerAt(this.#revision));
  }

  /** One turn after the other: takes what waits, decides it in order, appends it in one step, applies and acts. */
  async run(): Promise<LifecycleEnd> {
    if (this.#input.recover) await this.#recover();
    for (;;) {
      if (this.#inbox.isEmpty && this.#snapshot.status !== 'done') await this.#inbox.arrival();
      const staged = this.#stage(this.#inbox.take());
      if (staged.length > 0) {
        const step = this.#stepOf(staged);
        this.#settle(staged, step, await append(...argumentsOf(step)));
        while (this.#pending) await this.#goOn(this.#pending);
      }
      if (this.#outbox?.isEmpty === false) await this.#outbox.flush();
      if (!this.#inbox.isEmpty) continue;
      // Of several openings that came together one may have succeeded: then there is something to run.
      if (this.#refusedOpening && this.#revision < 0) await this.#failOpening(this.#refusedOpening);
      if (this.#snapshot.status === 'done') {
        // Whoever still comes gets the aggregate's own refusal from the final state.
        if (!this.#isAnswered()) await condition(() => this.#isAnswered());
        if (this.#inbox.isEmpty) break;
      } else if (workflowInfo().continueAsNewSuggested) {
        await this.#continueAsNew();
      }
    }
    this.#effects.stopAll();
    if (this.#hasUnconfirmed) await this.#confirmed();
    return { revision: this.#revision, version: this.#input.version, value: stateName(this.#snapshot.value) };
  }

  /** Takes over all that the log holds, as if this run had decided it. */
  async #recover(): Promise<void> {
    for (;;) {
      const reply = await append(this.#requestOf([]).request);
      if (reply.kind !== 'conflict')
        throw new Error(`asking what stands in ${this.#input.stream} wrote to it`);
      if (reply.stored.length === 0) break;
      this.#adopt(reply);
    }
    if (this.#revision < 0)
      await this.#failOpening(reject('RESOURCE_NOT_FOUND', 'the log holds no such stream'));
  }

  /** Cheap refusals leave no history: the validator decides on the state at hand, the turn decides again. */
  #validate(command: Command, meta: CommandMeta): void {
    // A true command that is said once more, in another update, could come true later than it was meant.
    const isTrue = !isForged(command) && meta?.commandId === currentUpdateInfo()?.id;
    refuseForged(isTrue, 'a command');
    if (this.#revision < 0 || this.#answers.of(meta.commandId)) return;
    const decision =
      unreadable(command) ??
      this.#lifecycle.version.decide(this.#snapshot, command, this.#decisionContext(meta));
    if (!decision.ok) {
      throw ApplicationFailure.create({
        message: decision.message,
        type: decision.code,
        nonRetryable: true,
        details: [decision.errors ?? []],
      });
    }
  }

  /** A told command has no answer: what is refused was in vain. */
  #hear(command: Command, meta: CommandMeta, word: unknown): void {
    const isTrue = !isForged(command) && word === TOLD && unreadable(command) === null;
    if (!isTrue) log.warn('a command that nobody who may has told', { stream: this.#input.stream });
    if (!isTrue || this.#told.has(meta.commandId)) return;
    this.#told.add(meta.commandId);
    this.#inbox.put({ kind: 'command', command, meta });
  }

  #receive(command: Command, meta: CommandMeta): Promise<CommandOutcome> {
    return new Promise((answer) => this.#inbox.put({ kind: 'command', command, meta, answer }));
  }

  #settle(staged: readonly StagedItem[], { request, next, outgoing }: Step, reply: StepReply): void {
    if (reply.kind === 'appended') {
      const behind = this.#behind(staged, next, reply);
      this.#compare(request, reply.fingerprint, behind);
      this.#unsaid = [];
      if (this.#outbox) this.#conclude(staged, reply, behind, outgoing);
      else this.#commit(staged, reply.position, behind[0]);
      return;
    }
    // What was not written waits again.
    const refused = reply.kind === 'refused' ? staged[reply.batch] : undefined;
    this.#inbox.putBack(staged.filter((each) => each !== refused).map(({ item }) => item));
    if (reply.kind === 'conflict') this.#adopt(reply);
    else this.#refuse(refused as StagedItem, reply.rejection);
  }

  /** What stands behind a step. An effect that gave no answer there runs by the lifecycle's own policy. */
  #behind(
    staged: readonly Standing[],
    next: FollowingEffect | null,
    reply: Aftermath & Pick<StepReply, 'followed'>,
  ): Behind[] {
    const followed: readonly FollowedStep[] =
      reply.followed && next
        ? [{ effect: next.effect.id, events: reply.followed, context: next.context }]
        : (reply.behind ?? []);
    let standing: Standing = staged.at(-1) ?? this.#standing;
    return followed.map(({ effect, events, context }) => {
      const step = stageEvents(this.#lifecycle.version, this.#input.stream, standing, events);
      standing = step;
      return { ...step, effect, context };
    });
  }

  /**
   * Only a replay can differ: live, the fingerprint was made of this very request.
   * @throws ChangedRuleError when its rules are not those that the step was decided by.
   */
  #compare(request: JournalRequest, fingerprint: string | undefined, behind: readonly Behind[]): void {
    if (fingerprint === undefined || !workflowInfo().unsafe.isReplaying) return;
    const batches = [
      ...request.batches,
      ...behind.map(({ context, events, entries }) => ({ context, events, entries })),
    ];
    if (!contradicts(fingerprint, fingerprintOf(batches, request.asks))) return;
    const { stream, version } = this.#input;
    const revision = batches.reduce((sum, { events }) => sum + events.length, request.expectedRevision);
    throw new ChangedRuleError(`${this.#lifecycle.aggregate} version ${version}`, stream, revision);
  }

  #stage(items: readonly Item[]): StagedItem[] {
    const staged: StagedItem[] = [];
    const disarmed = new Set<string>();
    const stopped = new Set<string>();
    let standing = this.#standing;
    for (const item of items) {
      if (disarmed.has(deadlineIn(item) ?? '')) continue;
      if (item.kind === 'events' && (stopped.has(item.effect) || this.#takenOver.has(item))) continue;
      const events = this.#eventsOf(item, standing);
      if (events.length === 0) continue;
      const next = this.#tryStage(item, standing, events);
      if (!next) continue;
      for (const timer of cancelledBy(next.actions)) disarmed.add(timer);
      for (const effect of stoppedBy(next.actions)) stopped.add(effect);
      staged.push({ ...next, item, context: this.#contextOf(item) });
      standing = next;
    }
    return staged;
  }

  /** The events an item means in this state; a command that leads to none is answered here. */
  #eventsOf(item: Item, { snapshot, revision }: Standing): readonly DomainEvent[] {
    switch (item.kind) {
      case 'command': {
        const known = this.#answers.of(item.meta.commandId);
        if (known) {
          item.answer?.({ ok: true, ...known });
          return [];
        }
        const decision = this.#lifecycle.version.decide(
          snapshot,
          item.command,
          this.#decisionContext(item.meta),
        );
        if (!decision.ok) this.#answerRefusal(item, decision);
        else if (decision.events.length === 0)
          item.answer?.({
            ok: true,
            position: this.#position,
            revision: String(revision),
            state: stateName(snapshot.value),
          });
        return decision.ok ? decision.events : [];
      }
      case 'events':
        return item.events;
      case 'report':
        if (this.#reports.isHeard(item.report)) return [];
        return this.#lifecycle.onReport?.(item.report, snapshot.context as never) ?? [];
    }
  }

  /** The step of these events, or null where the state refuses one of them. */
  #tryStage(item: Item, standing: Standing, events: readonly DomainEvent[]): Staged | null {
    try {
      return stageEvents(this.#lifecycle.version, this.#input.stream, standing, events);
    } catch (error) {
      if (!(error instanceof RefusedEventError)) throw error;
      const facts = {
        stream: this.#input.stream,
        events: events.map(({ type }) => type),
        why: error.message,
      };
      switch (item.kind) {
        case 'command':
          log.error('a decision that its own machine refuses', facts);
          this.#answerRefusal(
            item,
            reject('INTERNAL_ERROR', 'our defect: the decision contradicts the state'),
          );
          break;
        case 'events':
          log.debug('dropped what the state no longer takes', facts);
          break;
        case 'report':
          this.#reports.keep(item.report);
          break;
      }
      return null;
    }
  }

  #answerRefusal(item: CommandItem, rejection: Rejection): void {
    item.answer?.(rejection);
    if (this.#revision < 0) this.#refusedOpening = rejection;
  }

  #refuse(staged: StagedItem, rejection: Rejection): void {
    // Only a caller's command may ask for money that is not there; anything else is a defect of ours.
    if (staged.item.kind !== 'command')
      throw new Error(`the ledger refused ${staged.events[0]?.type}: ${rejection.message}`);
    this.#answerRefusal(staged.item, rejection);
  }

  #requestOf(staged: readonly StagedItem[]): { request: JournalRequest; report: StateReport | null } {
    const { stream, version } = this.#input;
    const { workflowId, runId } = workflowInfo();
    const end = staged.at(-1)?.snapshot;
    const actions = staged.flatMap((each) => each.actions);
    const report = end ? this.#publisher.reportOf(end, actions.length > 0) : null;
    const asks = [...this.#unsaid, ...this.#asksOf(actions, report)];
    const request: JournalRequest = {
      stream,
      expectedRevision: this.#revision,
      batches: staged.map(({ item, context, events, entries }) => ({
        context,
        events,
        entries,
        ...(item.kind === 'command' && deadlineIn(item) === null && { commandId: item.meta.commandId }),
      })),
      origin: { workflowId, runId },
      ...(asks.length > 0 && { asks }),
      ...(end?.status === 'done' && { final: { version, state: plainState(end) } }),
    };
    return { request, report };
  }

  /** What a step asks for beside its events: what its actions begin and end, and what the parent is told. */
  #asksOf(actions: readonly MachineAction[], report: StateReport | null): Ask[] {
    const asks = asksOf(actions, (effect) => this.#effects.contentOf(effect));
    return report ? [...asks, ['report', report]] : asks;
  }

  /** The append, the effect that it leads to, when it is the only one that can run there, and what it says to others. */
  #stepOf(staged: readonly StagedItem[]): Step {
    const { request, report } = this.#requestOf(staged);
    const outgoing = this.#outbox ? this.#outgoingOf(staged, report) : null;
    const followable = this.#effects.followable();
    const started = startedBy(staged.flatMap(({ actions }) => actions));
    const [effect, ...others] = started.filter(({ src }) => followable.includes(src));
    if (!effect || others.length > 0) return { request, next: null, outgoing };
    const last = staged.at(-1) as StagedItem;
    return { request, next: this.#nextOf(effect, last, last.context), outgoing };
  }

  /** An effect that runs where the lifecycle stands, on behalf of the engine. */
  #nextOf(effect: AskedEffect, { snapshot, revision }: Standing, context: EventContext): FollowingEffect {
    return {
      effect,
      ...(this.#outbox && { prompt: this.#effects.followable() }),
      version: this.#input.version,
      state: plainState(snapshot),
      context: { ...context, actor: 'engine', causationId: eventId(this.#input.stream, revision) },
    };
  }

  /** Tells the parent where the lifecycle stands and runs what it goes on with, behind what is appended already. */
  async #goOn(asked: Asked): Promise<void> {
    this.#pending = null;
    const { id, src, input } = asked.action.params as AskedEffect;
    const { request } = this.#requestOf([]);
    const { commandId: _, ...cause } = this.#engineMeta();
    const next = this.#nextOf({ id, src, input }, this.#standing, { ...cause, occurredAt: now() });
    const outgoing = this.#outbox?.isEmpty === false ? this.#outbox.take() : null;
    const reply = await follow(request, next, outgoing);
    const behind = this.#behind([], next, reply);
    this.#compare(request, reply.fingerprint, behind);
    this.#unsaid = [];
    if (behind.length === 0) this.#act(asked);
    this.#conclude([], { kind: 'appended', position: this.#position, ...reply }, behind, outgoing);
  }

  /** What a step says to others; null for silence. */
  #outgoingOf(staged: readonly StagedItem[], report: StateReport | null): Outgoing | null {
    const { parent } = this.#input;
    const { correlationId, traceparent } =
      this.#revision < 0 ? (staged[0] as StagedItem).context : this.#lineage;
    const meta = { actor: 'engine', correlationId, traceparent };
    const children = staged.flatMap(({ actions, revision }) => {
      const causationId = eventId(this.#input.stream, revision);
      return startedBy(actions).flatMap((effect) =>
        this.#effects.openingsOf(effect, { meta: { ...meta, causationId, commandId: causationId } }),
      );
    });
    if (children.length === 0 && !report) return null;
    const { revision } = staged.at(-1) as StagedItem;
    return {
      ...(report &&
        parent !== undefined && { report: { to: parent, report: this.#publisher.inFull(revision, report) } }),
      children,
    };
  }

  #contextOf(item: Item): EventContext {
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

  /** Takes over what was appended, and the events of the effect that ran `behind` it, as host versions 1 and 2 do. */
  #commit(staged: readonly StagedItem[], position: string, behind: Behind | undefined): void {
    const acted = staged.some(({ actions }) => actions.length > 0);
    for (const asked of this.#standBehind(staged, position)) this.#act(asked, behind?.effect);
    this.#publish(acted);
    if (!behind || behind.events.length === 0) return;
    const { actions, revision, snapshot, context } = behind;
    this.#advance(snapshot, revision, context.causationId);
    for (const action of actions) this.#act({ action, revision, occurredAt: context.occurredAt });
    this.#unsaid = this.#asksOf(actions, this.#publish(true));
  }

  /** Takes over what was appended and all that stands behind it, and then acts: what has ended among it is over. */
  #conclude(
    staged: readonly StagedItem[],
    { position, unsent }: Extract<StepReply, { kind: 'appended' }>,
    behind: readonly Behind[],
    outgoing: Outgoing | null,
  ): void {
    if (unsent && outgoing) this.#outbox?.put(outgoing);
    const isOf = (effect: string | undefined) => (asked: Asked) =>
      asked.action.type === 'xstate.spawnChild' && (asked.action.params as AskedEffect).id === effect;
    const asked = this.#standBehind(staged, position)
      .filter(({ action }) => !this.#startsChildren(action))
      .filter((each) => !isOf(behind[0]?.effect)(each));
    for (const [index, { actions, revision, snapshot, context, events }] of behind.entries()) {
      if (events.length === 0) continue;
      this.#publisher.pass(this.#snapshot);
      this.#advance(snapshot, revision, context.causationId);
      asked.push(
        ...actions
          .map((action): Asked => ({ action, revision, occurredAt: context.occurredAt }))
          .filter((each) => !isOf(behind[index + 1]?.effect)(each)),
      );
    }
    const hasMoved = behind.some(({ events }) => events.length > 0);
    const left = remaining(asked);
    this.#pending = hasMoved ? this.#goingOn(left) : null;
    for (const each of left) if (each !== this.#pending) this.#act(each);
    // A state that is left at once is not shown.
    const report = hasMoved ? this.#publish(true, { isLeft: this.#pending !== null }) : null;
    if (!hasMoved) this.#publisher.show(this.#snapshot);
    this.#unsaid = this.#asksOf(
      behind.flatMap(({ actions }) => actions),
      report,
    );
  }

  /**
   * The one effect among what is left to do that was not tried behind the append because the parent waits for the state
   * that asks for it, and that may follow.
   */
  #goingOn(left: readonly Asked[]): Asked | null {
    if ((this.#input.host ?? 1) < 4 || !this.#snapshot.hasTag('report')) return null;
    const [effect, ...others] = left.filter(({ action }) => action.type === 'xstate.spawnChild');
    if (!effect || others.length > 0 || effect.revision !== this.#revision) return null;
    return this.#effects.followable().includes((effect.action.params as AskedEffect).src) ? effect : null;
  }

  /** Stands behind what was appended, and answers who asked for it: @returns what it asks for. */
  #standBehind(staged: readonly StagedItem[], position: string): Asked[] {
    if (this.#revision < 0) this.#lineage = (staged[0] as StagedItem).context;
    this.#position = position;
    return staged.flatMap(({ item, actions, snapshot, revision, context }) => {
      this.#advance(snapshot, revision, context.causationId);
      if (item.kind === 'command') this.#answer(item, position);
      return actions.map((action): Asked => ({ action, revision, occurredAt: context.occurredAt }));
    });
  }

  get #standing(): Standing {
    return { snapshot: this.#snapshot, revision: this.#revision };
  }

  #startsChildren({ type, params }: MachineAction): boolean {
    return type === 'xstate.spawnChild' && this.#effects.isOfChildren((params as AskedEffect).src);
  }

  /** Stands after an event that is in the log. Reports that came too early for the state before are looked at again. */
  #advance(snapshot: AnyMachineSnapshot, revision: number, causationId: string): void {
    this.#snapshot = snapshot;
    this.#revision = revision;
    this.#reports.note(causationId);
    for (const report of this.#reports.release()) this.#inbox.put({ kind: 'report', report });
  }

  #answer(item: CommandItem, position: string): void {
    if (!item.answer) return;
    const answer = { position, revision: String(this.#revision), state: stateName(this.#snapshot.value) };
    this.#answers.keep(item.meta.commandId, answer);
    item.answer({ ok: true, ...answer });
  }

  /**
   * The stored events win over a decision made again with another clock (settled 2). Whatever they answered is answered,
   * and what caused them counts no second time.
   */
  #adopt({ stored, decided }: Extract<StepReply, { kind: 'conflict' }>): void {
    const { stream } = this.#input;
    if (stored.length === 0 && decided.length === 0)
      throw new Error(`${stream} is shorter than this workflow remembers`);
    for (const { commandId, ...answer } of decided) this.#answers.keep(commandId, answer);
    const asked: Asked[] = [];
    for (const { event, context, revision, position } of stored) {
      if (revision !== this.#revision + 1) throw new Error(`${stream}@${revision} follows ${this.#revision}`);
      if (revision === 0) this.#lineage = context;
      const staged = stageEvents(this.#lifecycle.version, stream, this.#standing, [event]);
      this.#advance(staged.snapshot, revision, context.causationId);
      this.#takenOver.note(context.causationId, event.type);
      this.#position = position;
      for (const action of staged.actions) asked.push({ action, revision, occurredAt: context.occurredAt });
    }
    const left = remaining(asked);
    for (const each of left) this.#act(each);
    const report = stored.length > 0 ? this.#publish(true, { adopted: true }) : null;
    this.#unsaid.push(
      ...this.#asksOf(
        left.map(({ action }) => action),
        report,
      ),
    );
  }

  /** @param ran id of an effect that has run already. */
  #act({ action, revision, occurredAt }: Asked, ran?: string): void {
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
        if (params.delay !== undefined) this.#timers.arm(params.id, epochMs(occurredAt) + params.delay);
        return;
      case 'xstate.cancel':
        // A deadline of a state that was left no longer counts, not even when it has passed and waits for its turn.
        this.#timers.cancel(params.sendId);
        this.#inbox.drop((item) => deadlineIn(item) === params.sendId);
        return;
      case 'xstate.spawnChild': {
        const { id, src, input } = params;
        if (id !== ran) this.#effects.start({ id, src, input }, this.#askerAt(revision));
        return;
      }
      case 'xstate.stopChild':
        // As with deadlines: an answer that waits was meant for the state that asked for it.
        this.#effects.stop(params.id);
        this.#inbox.drop((item) => item.kind === 'events' && item.effect === params.id);
        return;
      default:
        throw new Error(`the host does not know the action ${action.type}`);
    }
  }

  /** Shows the state, unless it is left at once, and tells the parent: @returns what. */
  #publish(acted: boolean, { adopted = false, isLeft = false } = {}): StateReport | null {
    const report = this.#publisher.reportOf(this.#snapshot, acted, adopted);
    if (!isLeft) this.#publisher.show(this.#snapshot);
    if (report) this.#tell(this.#publisher.inFull(this.#revision, report));
    return report;
  }

  #tell(report: Report): void {
    if (this.#outbox) this.#outbox.tell(report);
    else this.#publisher.signal(report);
  }

  async #failOpening(rejection: Rejection): Promise<never> {
    this.#tell(this.#publisher.refusal(this.#revision, rejection));
    if (this.#outbox?.isEmpty === false) await this.#outbox.flush();
    if (this.#hasUnconfirmed) await this.#confirmed();
    await condition(allHandlersFinished);
    throw ApplicationFailure.create({ message: rejection.message, type: rejection.code, nonRetryable: true });
  }

  /** Whether every caller has its answer, or somebody waits for a turn. */
  #isAnswered(): boolean {
    return !this.#inbox.isEmpty || allHandlersFinished();
  }

  /** Whether others have yet to confirm that children started or that reports were taken. */
  get #hasUnconfirmed(): boolean {
    return this.#effects.starting.size + this.#publisher.sending.size > 0;
  }

  async #confirmed(): Promise<void> {
    await Promise.all([...this.#effects.starting, ...this.#publisher.sending]);
  }

  async #continueAsNew(): Promise<void> {
    if (this.#hasUnconfirmed) await this.#confirmed();
    // A command that came meanwhile keeps its handler open until its turn: it goes first.
    if (!this.#isAnswered()) await condition(() => this.#isAnswered());
    if (!this.#inbox.isEmpty) return;
    const { stream, version, parent, sealed, host } = this.#input;
    const effects = this.#effects.running();
    await continueAsNew({
      stream,
      version,
      ...(parent !== undefined && { parent }),
      ...(sealed && { sealed }),
      ...(host !== undefined && { host }),
      carried: {
        snapshot: createActor(this.#lifecycle.version.machine, {
          snapshot: this.#snapshot as never,
        }).getPersistedSnapshot(),
        revision: this.#revision,
        position: this.#position,
        timers: this.#timers.armed(),
        effects,
        takenOver: this.#takenOver.carried(effects.flatMap(({ cause }) => cause ?? [])),
        answered: this.#answers.all(),
        lineage: { correlationId: this.#lineage.correlationId, traceparent: this.#lineage.traceparent },
        shown: this.#publisher.entered,
        reports: this.#reports.carried(),
        ...(this.#told.size > 0 && { told: [...this.#told] }),
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

  /** Who asks for what follows the event at `revision`. */
  #askerAt(revision: number): Asker {
    const causationId = eventId(this.#input.stream, Math.max(revision, 0));
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

const isReport = (said: unknown): boolean => {
  const { aggregate, stream, revision } = (said ?? {}) as Partial<Report>;
  return typeof aggregate === 'string' && typeof stream === 'string' && typeof revision === 'number';
};

/** Whether it was said to this workflow, by somebody who may. */
const isMeant = ({ aggregate }: Lifecycle, input: LifecycleInput | undefined): boolean =>
  input?.stream === workflowInfo().workflowId && aggregateOf(input.stream) === aggregate;

/**
 * Runs `definition` as the workflow `input.stream` until its machine is final. Nobody cancels a lifecycle past its rules:
 * a request of Temporal to do so has no effect.
 */
export const runLifecycle = (definition: Lifecycle, input: LifecycleInput): Promise<LifecycleEnd> => {
  refuseForged(isMeant(definition, input), 'an opening');
  return CancellationScope.nonCancellable(() => new Host(definition, input).run());
};
