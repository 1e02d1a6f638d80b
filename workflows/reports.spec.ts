import { describe, expect, it } from 'vitest';
import type { Report } from '../domain/ports/lifecycles.ts';
import { Reports } from './reports.ts';

const report = (stream: string, revision: number): Report => ({
  aggregate: 'auction',
  stream,
  revision,
  state: 'open',
  body: null,
  rejection: null,
});

describe('reports of children', () => {
  it('are heard once an event of the log follows from them, or from a later one of the same child', () => {
    const reports = new Reports();
    expect(reports.isHeard(report('auction-1', 0))).toBe(false);
    reports.note('auction-1@3');
    expect([0, 3, 4].map((revision) => reports.isHeard(report('auction-1', revision)))).toEqual([
      true,
      true,
      false,
    ]);
    expect(reports.isHeard(report('auction-2', 0))).toBe(false);
    // An older event that is taken over later changes nothing.
    reports.note('auction-1@1');
    expect(reports.isHeard(report('auction-1', 3))).toBe(true);
  });

  it('of a child whose opening was refused are heard, too', () => {
    const reports = new Reports();
    expect(reports.isHeard(report('auction-1', -1))).toBe(false);
    reports.note('auction-1@-1');
    expect(reports.isHeard(report('auction-1', -1))).toBe(true);
  });

  it.each(['command-1', 'auction-1@', 'auction-1@x', '@', 'a@1@', 'auction-1@1.5@'])(
    'are not made of the cause %s',
    (cause) => {
      const reports = new Reports();
      reports.note(cause);
      expect(reports.carried().heard).toEqual([]);
    },
  );

  it('that come early are kept until they are looked at again, the newest of each child', () => {
    const reports = new Reports();
    reports.keep(report('auction-1', 4));
    reports.keep(report('auction-1', 2));
    reports.keep(report('quorum-1', 0));
    expect(reports.release()).toEqual([report('auction-1', 4), report('quorum-1', 0)]);
    expect(reports.release()).toEqual([]);
  });

  it('are known to the next run of the workflow', () => {
    const reports = new Reports();
    reports.note('auction-1@3');
    reports.keep(report('quorum-1', 2));
    const next = new Reports(reports.carried());
    expect(next.isHeard(report('auction-1', 3))).toBe(true);
    expect(next.release()).toEqual([report('quorum-1', 2)]);
  });
});
