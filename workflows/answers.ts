import type { CommandOutcome } from '../domain/ports/lifecycles.ts';

export type Answer = Omit<Extract<CommandOutcome, { ok: true }>, 'ok'>;

/** Answers kept so that a repeated command id meets its first answer, also after continue-as-new. */
const KEPT = 512;

/** The newest answers to accepted commands, by command id. */
export class Answers {
  readonly #kept: Map<string, Answer>;

  constructor(carried: readonly (readonly [string, Answer])[]) {
    this.#kept = new Map(carried);
  }

  of(commandId: string): Answer | undefined {
    return this.#kept.get(commandId);
  }

  keep(commandId: string, answer: Answer): void {
    this.#kept.set(commandId, answer);
    if (this.#kept.size > KEPT) this.#kept.delete(this.#kept.keys().next().value as string);
  }

  all(): readonly (readonly [string, Answer])[] {
    return [...this.#kept];
  }
}
