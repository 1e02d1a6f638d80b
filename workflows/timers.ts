import { CancellationScope, isCancellation, sleep } from '@temporalio/workflow';
import { instant } from '../domain/time.ts';
import type { ArmedTimer } from './lifecycle.ts';

/** The deadlines of a lifecycle that are armed, by id; each fires once. */
export interface Deadlines {
  /** Arms `id` for the instant `dueAt` (epoch ms); an armed deadline of the same id is replaced. */
  arm(id: string, dueAt: number): void;
  cancel(id: string): void;
  armed(): ArmedTimer[];
  restore(timers: readonly ArmedTimer[]): void;
}

/**
 * A durable timer for each deadline, as host versions 1 and 2 have it. A firing is delivered from outside its scope, so
 * cancelling it cannot cancel what follows.
 */
export class Timers implements Deadlines {
  readonly #fire: (id: string, dueAt: string) => void;
  readonly #armed = new Map<string, { readonly dueAt: number; readonly scope: CancellationScope }>();

  constructor(fire: (id: string, dueAt: string) => void) {
    this.#fire = fire;
  }

  arm(id: string, dueAt: number): void {
    this.cancel(id);
    const scope = new CancellationScope();
    this.#armed.set(id, { dueAt, scope });
    void scope
      .run(() => sleep(Math.max(1, dueAt - Date.now())))
      .then(
        () => {
          if (this.#armed.get(id)?.scope !== scope) return;
          this.#armed.delete(id);
          this.#fire(id, instant(dueAt));
        },
        (error: unknown) => {
          if (!isCancellation(error)) throw error;
        },
      );
  }

  cancel(id: string): void {
    const timer = this.#armed.get(id);
    this.#armed.delete(id);
    timer?.scope.cancel();
  }

  armed(): ArmedTimer[] {
    return [...this.#armed].map(([id, { dueAt }]) => ({ id, dueAt }));
  }

  restore(timers: readonly ArmedTimer[]): void {
    for (const { id, dueAt } of timers) this.arm(id, dueAt);
  }
}
