import type { Meter } from '../job/meter.ts';
import type { Measurement } from '../measurement.ts';

/** Jobs of one measurement, one after the other. */
const IN_TURN = 2;
const AT_ONCE = 6;

/** The stack of this checkout, and that of another one, if there is one. */
export interface Sides {
  readonly ours: Meter;
  readonly against: Meter | null;
}

const CPU = 'CPU s per job';
const BEYOND = 'ms beyond the auction';

/** What a job costs over all processes of the stack, and how long it takes. */
export const jobMeasurements = ({ ours, against }: Sides): readonly Measurement[] => {
  const other = against === null ? null : 'against';
  const sidesOf = (measure: (meter: Meter) => ReturnType<Meter['measure']>): Measurement['sides'] => ({
    ours: () => measure(ours),
    ...(against === null ? {} : { against: () => measure(against) }),
  });
  const caseOf = (name: string, unit: string, figure: string) => ({
    name,
    unit,
    figure,
    ours: 'ours',
    baseline: other,
  });
  return [
    {
      sides: sidesOf((meter) => meter.measure('silver', IN_TURN, 1)),
      cases: [caseOf('job-silver-cpu', CPU, 'cpu'), caseOf('job-latency', BEYOND, 'latency')],
    },
    {
      sides: sidesOf((meter) => meter.measure('silver', 1, AT_ONCE)),
      cases: [caseOf('job-silver-cpu-at-once', CPU, 'cpu'), caseOf('job-latency-at-once', BEYOND, 'latency')],
    },
    {
      sides: sidesOf((meter) => meter.measure('gold', IN_TURN, 1)),
      cases: [caseOf('job-gold-cpu', CPU, 'cpu'), caseOf('job-gold-latency', BEYOND, 'latency')],
    },
  ];
};
