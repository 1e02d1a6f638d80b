import { CancellationScope, isCancellation, sleep } from '@temporalio/workflow';
import { instant } from '../domain/time.ts';
import type { ArmedTimer } from './lifecycle.ts';
import type { Deadlines } from './timers.ts';

/**
 * The deadlines of one lifecycle behind one durable timer. Most deadlines are left behind long before they are due, and
 * each timer costs Temporal four writes: the timer that runs is kept while no deadline is due before it, and finds out
 * when it fires what is.
 */
export class Alarm implements Deadlines {
  readonly #fire: (id: string, dueAt: string) => void;
  readonly #armed = new Map<string, number>();
  #running: { readonly at: number; readonly scope: CancellationScope } | null = null;

  constructor(fire: (id: string, dueAt: string) => void) {
    this.#fire = fire;
  }

  arm(id: string, dueAt: number): void {
    this.#armed.set(id, dueAt);
    this.#set();
  }

  cancel(id: string): void {
    this.#armed.delete(id);
  }

  armed(): ArmedTimer[] {
    return [...this.#armed].map(([id, dueAt]) => ({ id, dueAt }));
  }

  restore(timers: readonly ArmedTimer[]): void {
    for (const { id, dueAt } of timers) this.#armed.set(id, dueAt);
    this.#set();
  }

  #set(): void {
    if (this.#armed.size === 0) return;
    const at = Math.min(...this.#armed.values());
    if (this.#running && this.#running.at <= at) return;
    this.#running?.scope.cancel();
    const scope = new CancellationScope();
    this.#running = { at, scope };
    void scope
      .run(() => sleep(Math.max(1, at - Date.now())))
      .then(
        () => {
          if (this.#running?.scope === scope) this.#ring(at);
        },
        (error: unknown) => {
          if (!isCancellation(error)) throw error;
        },
      );
  }

  /** What is due by now, first what was due first. */
  #ring(at: number): void {
    this.#running = null;
    const now = Math.max(at, Date.now());
    const due = [...this.#armed].filter(([, dueAt]) => dueAt <= now).sort(([, a], [, b]) => a - b);
    for (const [id, dueAt] of due) {
      this.#armed.delete(id);
      this.#fire(id, instant(dueAt));
    }
    this.#set();
  }
}
