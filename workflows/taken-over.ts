import type { EventsItem } from './inbox.ts';

const keyOf = (cause: string, type: string): string => `${cause} ${type}`;

/**
 * What effects answered to an earlier run, as far as this one took it over from the log. The effect may still run, or run
 * again: it answers once, so its answer counts no second time.
 */
export class TakenOver {
  readonly #keys: Set<string>;

  constructor(carried: readonly string[] = []) {
    this.#keys = new Set(carried);
  }

  /** An event that this run did not write is in the log. */
  note(cause: string, type: string): void {
    this.#keys.add(keyOf(cause, type));
  }

  has({ cause, events: [first] }: EventsItem): boolean {
    return first !== undefined && this.#keys.has(keyOf(cause, first.type));
  }

  /** What still matters to effects that follow from these causes. */
  carried(causes: readonly string[]): string[] {
    return [...this.#keys].filter((key) => causes.some((cause) => key.startsWith(keyOf(cause, ''))));
  }
}
