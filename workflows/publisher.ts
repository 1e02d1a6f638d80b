import { defineSearchAttributeKey } from '@temporalio/common';
import { defineSignal, getExternalWorkflowHandle, log, upsertSearchAttributes } from '@temporalio/workflow';
import type { AnyMachineSnapshot } from 'xstate';
import type { Rejection } from '../domain/errors.ts';
import { stateName } from '../domain/lifecycle.ts';
import type { Report } from '../domain/ports/lifecycles.ts';
import type { LifecycleAt, LifecycleInput } from './lifecycle.ts';

export const reportSignal = defineSignal<[Report]>('report');

/** What a parent is told of a state. */
export type StateReport = Pick<Report, 'state' | 'body'>;

const MACHINE_STATE = defineSearchAttributeKey('MachineState', 'KEYWORD');

/** What a lifecycle lets others see: its state in the Temporal UI, and reports to its parent. */
export class Publisher {
  readonly #lifecycle: LifecycleAt;
  readonly #input: Pick<LifecycleInput, 'stream' | 'parent' | 'host'>;
  readonly #sending = new Set<Promise<void>>();
  #entered: string;

  /** @param entered the state that an earlier run of the same workflow published last. */
  constructor(
    lifecycle: LifecycleAt,
    input: Pick<LifecycleInput, 'stream' | 'parent' | 'host'>,
    entered = '',
  ) {
    this.#lifecycle = lifecycle;
    this.#input = input;
    this.#entered = entered;
  }

  get entered(): string {
    return this.#entered;
  }

  /**
   * What the parent is told of a state: when it waits for it and it was entered, or something was `acted` on there. Of an
   * end that was `adopted` it is told in any case: whoever came to it may have died before telling. Null for silence.
   */
  reportOf(snapshot: AnyMachineSnapshot, acted: boolean, adopted = false): StateReport | null {
    const state = stateName(snapshot.value);
    const isAdoptedEnd = adopted && snapshot.status === 'done';
    const isAwaited = (state !== this.#entered || acted) && snapshot.hasTag('report');
    if (!this.#input.parent || !(isAdoptedEnd || isAwaited)) return null;
    return { state, body: this.#lifecycle.report?.(snapshot.context as never, state) ?? null };
  }

  /** What the parent is told, in full. */
  inFull(revision: number, report: StateReport): Report {
    const { aggregate } = this.#lifecycle;
    return { aggregate, stream: this.#input.stream, revision, ...report, rejection: null };
  }

  /** The opening was refused: there is no state. */
  refusal(revision: number, rejection: Rejection): Report {
    return { ...this.inFull(revision, { state: 'refused', body: null }), rejection };
  }

  /** The state was entered, and left at once. */
  pass(snapshot: AnyMachineSnapshot): void {
    this.#entered = stateName(snapshot.value);
  }

  /** Shows the state. */
  show(snapshot: AnyMachineSnapshot): void {
    const state = stateName(snapshot.value);
    if (state !== this.#entered && this.#isShown(snapshot))
      upsertSearchAttributes([{ key: MACHINE_STATE, value: state }]);
    this.#entered = state;
  }

  /** Showing one costs Temporal a row of its index: who looks for the states between finds them in the read models. */
  #isShown(snapshot: AnyMachineSnapshot): boolean {
    const { host = 1 } = this.#input;
    return host < 2 || snapshot.status === 'done' || snapshot.hasTag('report');
  }

  /** Reports of which it is not known whether they were taken, or that the parent is gone. */
  get sending(): ReadonlySet<Promise<void>> {
    return this.#sending;
  }

  /** Tells the parent, as host versions 1 and 2 do: a task of its own confirms it. */
  signal(report: Report): void {
    const { stream, parent } = this.#input;
    if (!parent) return;
    const sending = getExternalWorkflowHandle(parent)
      .signal(reportSignal, report)
      // The parent ended before its child: nobody is left to tell.
      .catch((error: unknown) => log.info('the parent is gone', { stream, parent, error: String(error) }))
      .finally(() => this.#sending.delete(sending));
    this.#sending.add(sending);
  }
}
