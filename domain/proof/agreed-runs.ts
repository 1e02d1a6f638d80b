import type { SampleReport, SampleRun, SampleState, SlaTerms } from './sla-record.ts';

/** Which of these a quorum saw, or that too few could tell. */
const agreed = (states: readonly SampleState[], quorum: number): SampleState =>
  (['down', 'up', 'maintenance'] as const).find(
    (state) => states.filter((each) => each === state).length >= quorum,
  ) ?? 'unobserved';

const append = (runs: SampleRun[], state: SampleState, count: number): void => {
  const last = runs.at(-1);
  if (last?.state === state) runs[runs.length - 1] = { state, count: last.count + count };
  else runs.push({ state, count });
};

/**
 * An observer's samples over the whole window, or null when its reports leave a hole, overlap or end elsewhere: bad
 * beats cannot be left out, for an observer states its own gaps.
 */
const wholeWindow = (reports: readonly SampleReport[], slots: number): SampleRun[] | null => {
  const runs: SampleRun[] = [];
  let next = 0;
  for (const report of reports) {
    if (report.firstSlot !== next) return null;
    for (const { state, count } of report.runs) {
      append(runs, state, count);
      next += count;
    }
  }
  return next === slots ? runs : null;
};

/** `Map.groupBy` would take Node 21, and auditors may have 20. */
const byObserver = (reports: readonly SampleReport[]): ReadonlyMap<string, readonly SampleReport[]> => {
  const groups = new Map<string, SampleReport[]>();
  for (const report of reports) {
    const own = groups.get(report.observer);
    if (own) own.push(report);
    else groups.set(report.observer, [report]);
  }
  return groups;
};

/**
 * What a quorum of the observers saw, beat by beat, or null when an observer's reports do not tile the window. In order
 * of time; linear in the number of runs, not of beats.
 * @param reports ordered by observer, in the order of the terms, then by first slot.
 */
export const agreedRuns = (
  { observers, quorum, slots }: Pick<SlaTerms, 'observers' | 'quorum' | 'slots'>,
  reports: readonly SampleReport[],
): SampleRun[] | null => {
  const of = byObserver(reports);
  const ordered = observers.flatMap(({ key }) => of.get(key) ?? []);
  if (ordered.length !== reports.length || ordered.some((report, index) => report !== reports[index]))
    return null;
  const lanes: { readonly runs: SampleRun[]; index: number; left: number }[] = [];
  for (const { key } of observers) {
    const runs = wholeWindow(of.get(key) ?? [], slots);
    if (!runs) return null;
    lanes.push({ runs, index: 0, left: runs[0]?.count ?? 0 });
  }
  const merged: SampleRun[] = [];
  for (let done = 0; done < slots; ) {
    const step = Math.min(...lanes.map(({ left }) => left));
    append(
      merged,
      agreed(
        lanes.map(({ runs, index }) => (runs[index] as SampleRun).state),
        quorum,
      ),
      step,
    );
    for (const lane of lanes) {
      lane.left -= step;
      if (lane.left === 0) lane.left = lane.runs[++lane.index]?.count ?? 0;
    }
    done += step;
  }
  return merged;
};
