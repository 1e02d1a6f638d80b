import type { DeadlineCommand } from '../domain/decision.ts';
import type { DomainEvent } from '../domain/event.ts';
import type { Command, CommandMeta, CommandOutcome, Report } from '../domain/ports/lifecycles.ts';

export interface CommandItem {
  readonly kind: 'command';
  readonly command: Command;
  readonly meta: CommandMeta;
  readonly answer?: (outcome: CommandOutcome) => void;
}

/** What an effect answered. */
export interface EventsItem {
  readonly kind: 'events';
  /** Id of the effect. */
  readonly effect: string;
  readonly events: readonly DomainEvent[];
  /** The event that asked for the effect. */
  readonly cause: string;
}

export interface ReportItem {
  readonly kind: 'report';
  readonly report: Report;
}

export type Item = CommandItem | EventsItem | ReportItem;

/** The timer that a deadline comes from; null for everything else. */
export const deadlineIn = (item: Item): string | null =>
  item.kind === 'command' && item.command.type === 'deadline' ? (item.command as DeadlineCommand).id : null;

/** What waits for its turn: commands, deadlines, answers of effects, reports of children. */
export class Inbox {
  #items: Item[] = [];
  #wake: (() => void) | null = null;

  get isEmpty(): boolean {
    return this.#items.length === 0;
  }

  put(item: Item): void {
    this.#items.push(item);
    this.#wake?.();
    this.#wake = null;
  }

  /** Everything that waits. */
  take(): Item[] {
    return this.#items.splice(0);
  }

  /** Puts back what was not written, before everything that came meanwhile. */
  putBack(items: readonly Item[]): void {
    this.#items.unshift(...items);
  }

  drop(isStale: (item: Item) => boolean): void {
    this.#items = this.#items.filter((item) => !isStale(item));
  }

  /** Resolves as soon as something waits. A promise: a condition would be asked again on every task. */
  arrival(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}
