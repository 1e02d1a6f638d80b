import { proxyLocalActivities } from '@temporalio/workflow';
import type { ChildOpening, Outgoing, Report } from '../domain/ports/lifecycles.ts';

const { 'journal.send': send } = proxyLocalActivities<{
  'journal.send': (outgoing: Outgoing) => Promise<void>;
}>({
  startToCloseTimeout: '15 seconds',
  retry: { initialInterval: '100 milliseconds', maximumInterval: '2 seconds' },
});

/** What a lifecycle has to say to others and has not said yet: of its own state only the newest counts. */
export class Outbox {
  readonly #parent: string | undefined;
  #report: Report | null = null;
  #children: ChildOpening[] = [];

  constructor(parent: string | undefined) {
    this.#parent = parent;
  }

  get isEmpty(): boolean {
    return this.#report === null && this.#children.length === 0;
  }

  tell(report: Report): void {
    if (this.#parent !== undefined) this.#report = report;
  }

  start(children: readonly ChildOpening[]): void {
    this.#children.push(...children);
  }

  /** What another tried to say in vain. */
  put({ report, children }: Outgoing): void {
    if (report) this.tell(report.report);
    this.start(children);
  }

  /** All of it, for whoever says it now. */
  take(): Outgoing {
    const [report, children] = [this.#report, this.#children];
    this.#report = null;
    this.#children = [];
    return {
      ...(report && this.#parent !== undefined && { report: { to: this.#parent, report } }),
      children,
    };
  }

  /** Says all of it: until then, the lifecycle does nothing else. */
  async flush(): Promise<void> {
    await send(this.take());
  }
}
