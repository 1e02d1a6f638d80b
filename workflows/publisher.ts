import { defineSearchAttributeKey } from '@temporalio/common';
import { defineSignal, getExternalWorkflowHandle, log, upsertSearchAttributes } from '@temporalio/workflow';
import type { Rejection } from '../domain/errors.ts';
import { stateName } from '../domain/lifecycle.ts';
import type { Standing } from '../domain/staging.ts';
import type { LifecycleAt, LifecycleInput, Report } from './lifecycle.ts';

export const reportSignal = defineSignal<[Report]>('report');

const MACHINE_STATE = defineSearchAttributeKey('MachineState', 'KEYWORD');

/** What a lifecycle lets others see: its state in the Temporal UI, and reports to its parent. */
export class Publisher {
  readonly #lifecycle: LifecycleAt;
  readonly #input: Pick<LifecycleInput, 'stream' | 'parent'>;
  readonly #sending = new Set<Promise<void>>();
  #shown: string;

  /** @param shown the state that an earlier run of the same workflow showed last. */
  constructor(lifecycle: LifecycleAt, input: Pick<LifecycleInput, 'stream' | 'parent'>, shown = '') {
    this.#lifecycle = lifecycle;
    this.#input = input;
    this.#shown = shown;
  }

  get shown(): string {
    return this.#shown;
  }

  /**
   * Shows the state; the parent is told when one it waits for was entered, or when there something was `acted` on. Of an
   * end that was `adopted` it is told in any case: whoever came to it may have died before telling.
   */
  publish({ snapshot, revision }: Standing, acted: boolean, adopted = false): void {
    const state = stateName(snapshot.value);
    const entered = state !== this.#shown;
    if (entered) {
      upsertSearchAttributes([{ key: MACHINE_STATE, value: state }]);
      this.#shown = state;
    }
    const isAdoptedEnd = adopted && snapshot.status === 'done';
    if (isAdoptedEnd || ((entered || acted) && snapshot.hasTag('report'))) {
      const body = this.#lifecycle.report?.(snapshot.context as never, state) ?? null;
      this.#report({ revision, state, body, rejection: null });
    }
  }

  /** The opening was refused: there is no state to show. */
  refused(revision: number, rejection: Rejection): void {
    this.#report({ revision, state: 'refused', body: null, rejection });
  }

  /** Waits until every report has been taken, or its parent is known to be gone. */
  async settled(): Promise<void> {
    await Promise.all(this.#sending);
  }

  #report(what: Pick<Report, 'revision' | 'state' | 'body' | 'rejection'>): void {
    const { stream, parent } = this.#input;
    if (!parent) return;
    const sending = getExternalWorkflowHandle(parent)
      .signal(reportSignal, { aggregate: this.#lifecycle.aggregate, stream, ...what })
      // The parent ended before its child: nobody is left to tell.
      .catch((error: unknown) => log.info('the parent is gone', { stream, parent, error: String(error) }))
      .finally(() => this.#sending.delete(sending));
    this.#sending.add(sending);
  }
}
