import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  ActivityFailure,
  CancellationScope,
  isCancellation,
  ParentClosePolicy,
  proxyActivities,
  proxyLocalActivities,
  startChild,
  WorkflowIdReusePolicy,
} from '@temporalio/workflow';
import type { DomainEvent } from '../domain/event.ts';
import { type ChildOpening, type CommandMeta, HOST_VERSION } from '../domain/ports/lifecycles.ts';
import type { Call } from '../domain/ports/seals.ts';
import { isLifecycle, LIFECYCLES } from '../domain/registry.ts';
import type { AskedEffect } from '../domain/staging.ts';
import { shownText } from '../domain/text.ts';
import { answerTo, enduranceOf, failureOf } from './calls.ts';
import { now } from './clock.ts';
import type { EventsItem } from './inbox.ts';
import type {
  ActivityEffect,
  ChildrenEffect,
  Effect,
  LifecycleAt,
  LifecycleInput,
  RunningEffect,
} from './lifecycle.ts';
import type { Outbox } from './outbox.ts';

type Run = (input: unknown, call: Call) => Promise<unknown>;

/** What is kept of an error's message, UTF-16 units: it may quote anything. */
const MESSAGE_LENGTH = 2048;

/** Who asked for an effect: the event it follows from. */
export interface Asker {
  readonly causationId: string;
  readonly meta: CommandMeta;
}

/** The running effects of one lifecycle: activities that answer with events, and children that answer by reports. */
export class Effects {
  readonly #lifecycle: LifecycleAt;
  readonly #stream: string;
  readonly #isSealed: boolean;
  readonly #host: number;
  readonly #outbox: Outbox | null;
  readonly #deliver: (item: EventsItem) => void;
  readonly #running = new Map<
    string,
    { readonly effect: RunningEffect; readonly scope: CancellationScope }
  >();
  readonly #starting = new Set<Promise<void>>();

  constructor(
    lifecycle: LifecycleAt,
    { stream, sealed, host = 1 }: Pick<LifecycleInput, 'stream' | 'sealed' | 'host'>,
    deliver: (item: EventsItem) => void,
    outbox: Outbox | null,
  ) {
    this.#lifecycle = lifecycle;
    this.#stream = stream;
    this.#isSealed = sealed === true;
    this.#host = host;
    this.#deliver = deliver;
    this.#outbox = outbox;
  }

  /** Effects that may run where the events that ask for them are appended, by `src`. */
  followable(): readonly string[] {
    return Object.entries(this.#lifecycle.effects).flatMap(([src, policy]) =>
      policy.kind === 'activity' && (policy.local || this.#host >= (policy.prompt ?? Infinity)) ? src : [],
    );
  }

  /** What an effect is given: its input, or the commands that open its children. */
  contentOf({ src, input }: RunningEffect): unknown {
    const policy = this.#policyOf(src);
    return policy.kind === 'children' ? (policy as ChildrenEffect<unknown>).start(input) : input;
  }

  isOfChildren(src: string): boolean {
    return this.#policyOf(src).kind === 'children';
  }

  /** The children that an effect starts; none where it is an activity. */
  openingsOf({ src, input }: AskedEffect, { meta }: Pick<Asker, 'meta'>): ChildOpening[] {
    const policy = this.#policyOf(src);
    if (policy.kind !== 'children') return [];
    return (policy as ChildrenEffect<unknown>).start(input).map(({ aggregate, stream, command }) => {
      if (!isLifecycle(aggregate)) throw new Error(`${aggregate} is no lifecycle`);
      return {
        aggregate,
        stream,
        version: LIFECYCLES[aggregate].current,
        parent: this.#stream,
        command,
        meta: { ...meta, commandId: `${stream}/open` },
      };
    });
  }

  start(effect: RunningEffect, asker: Asker): void {
    const policy = this.#policyOf(effect.src);
    if (policy.kind === 'children') this.#startChildren(this.openingsOf(effect, asker));
    else this.#startActivity(policy as ActivityEffect<unknown>, effect, asker);
  }

  /** The state that wanted it was left: its result no longer counts. */
  stop(id: string): void {
    const running = this.#running.get(id);
    this.#running.delete(id);
    running?.scope.cancel();
  }

  running(): RunningEffect[] {
    return [...this.#running.values()].map(({ effect }) => effect);
  }

  /** Effects run again from their recorded input; every one is idempotent. */
  restore(effects: readonly RunningEffect[], asker: Asker): void {
    for (const { cause = asker.causationId, ...effect } of effects)
      this.start(effect, { causationId: cause, meta: { ...asker.meta, causationId: cause } });
  }

  /** Children whose start has not been confirmed. */
  get starting(): ReadonlySet<Promise<void>> {
    return this.#starting;
  }

  stopAll(): void {
    for (const id of [...this.#running.keys()]) this.stop(id);
  }

  #policyOf(src: string): Effect {
    const policy = this.#lifecycle.effects[src];
    if (!policy) throw new Error(`${this.#lifecycle.aggregate} has no effect named ${src}`);
    return policy;
  }

  #startActivity(policy: ActivityEffect<unknown>, effect: RunningEffect, asker: Asker): void {
    this.stop(effect.id);
    const scope = new CancellationScope();
    this.#running.set(effect.id, { effect: { ...effect, cause: asker.causationId }, scope });
    const name = `${this.#lifecycle.aggregate}.${effect.src}`;
    const run = (policy.local ? proxyLocalActivities(policy.options) : proxyActivities(policy.options))[
      name
    ] as Run;
    const deliver = (events: readonly DomainEvent[]) => {
      if (this.#running.get(effect.id)?.scope !== scope) return;
      this.#running.delete(effect.id);
      if (events.length > 0)
        this.#deliver({ kind: 'events', effect: effect.id, events, cause: asker.causationId });
    };
    const call = { activity: name, cause: asker.causationId };
    const asked = now();
    const mayBeForged = this.#isSealed && !policy.local;
    const failed = (error: unknown): void => {
      if (isCancellation(error) && (!mayBeForged || scope.consideredCancelled)) return;
      if (!(error instanceof ActivityFailure)) throw error;
      const message = mayBeForged
        ? failureOf(error, call, enduranceOf(policy.options), asked)
        : (error.cause?.message ?? error.message);
      if (message !== null) deliver(policy.failed(effect.input, shownText(message, MESSAGE_LENGTH)));
      else if (this.#running.get(effect.id)?.scope === scope) this.#startActivity(policy, effect, asker);
    };
    void scope
      .run(() => answerTo<readonly DomainEvent[]>(call, () => run(effect.input, call)))
      .then(deliver, failed);
  }

  #startChildren(children: readonly ChildOpening[]): void {
    if (this.#outbox) {
      this.#outbox.start(children);
      return;
    }
    for (const child of children) {
      const starting = this.#startChild(child).finally(() => this.#starting.delete(starting));
      this.#starting.add(starting);
    }
  }

  /** As host versions 1 and 2 do: the start is confirmed by a task of its own, and so is the child's end. */
  async #startChild({ aggregate, stream, version, parent, command, meta }: ChildOpening): Promise<void> {
    const input: LifecycleInput = {
      stream,
      version,
      parent,
      sealed: true,
      host: HOST_VERSION,
      open: { command, meta },
    };
    try {
      await startChild(aggregate, {
        workflowId: stream,
        args: [input],
        // A child outlives its parent's run; its own deadlines end it.
        parentClosePolicy: ParentClosePolicy.ABANDON,
        workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
      });
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    }
  }
}
