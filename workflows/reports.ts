import { eventId } from '../domain/event.ts';
import type { Report } from '../domain/ports/lifecycles.ts';
import type { CarriedReports } from './lifecycle.ts';

/**
 * The reports of a lifecycle's children. A report tells where a child stands, so only its newest one counts, and each
 * counts once. One that the state does not take yet is kept until the state has moved on.
 */
export class Reports {
  readonly #heard: Map<string, number>;
  readonly #early: Map<string, Report>;

  constructor({ heard, early }: CarriedReports = { heard: [], early: [] }) {
    this.#heard = new Map(heard);
    this.#early = new Map(early.map((report) => [report.stream, report]));
  }

  /** Whether an event of the log follows from this report, or from a later one of the same child. */
  isHeard({ stream, revision }: Report): boolean {
    const heard = this.#heard.get(stream);
    return heard !== undefined && heard >= revision;
  }

  /** An event with this cause is in the log. */
  note(causationId: string): void {
    const at = causationId.lastIndexOf('@');
    const revision = Number(causationId.slice(at + 1));
    const stream = causationId.slice(0, at);
    if (at < 0 || causationId !== eventId(stream, revision)) return;
    if (revision > (this.#heard.get(stream) ?? -Infinity)) this.#heard.set(stream, revision);
  }

  keep(report: Report): void {
    const known = this.#early.get(report.stream);
    if (!known || known.revision <= report.revision) this.#early.set(report.stream, report);
  }

  /** The reports that came early, to be looked at again. */
  release(): Report[] {
    const early = [...this.#early.values()];
    this.#early.clear();
    return early;
  }

  carried(): CarriedReports {
    return { heard: [...this.#heard], early: [...this.#early.values()] };
  }
}
