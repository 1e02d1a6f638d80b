import type { JobTier } from '../job/job-run.ts';
import type { Meter } from '../job/meter.ts';
import type { Figures, Measurement } from '../measurement.ts';

/** A stack whose jobs are measured. */
export interface Side extends Meter {
  /** Memory of the stack, once it has run so many jobs. */
  memory(jobs: number): Promise<Figures>;
}

export interface Sides {
  readonly ours: Side;
  /** Of another checkout, if there is one. */
  readonly against: Side | null;
  /** Jobs of a shape on bare Temporal; null when no case asks. */
  readonly bare: { readonly old: Meter; readonly lean: Meter } | null;
}

/** Jobs of one measurement, one after the other. */
const IN_TURN = 2;
const AT_ONCE = 6;
/** Jobs at once when many come, and rounds of each: one takes minutes. */
const CROWDS = [
  { atOnce: 20, mostRounds: 3 },
  { atOnce: 50, mostRounds: 2 },
];

const CPU = 'CPU s per job';
const BEYOND = 'ms beyond the auction';

type Measured = Measurement['cases'][number];

/** What a job costs over all processes of the stack, how long it takes, and how it is with many. */
export const jobMeasurements = ({ ours, against, bare }: Sides, jobs: number): readonly Measurement[] => {
  const sidesOf = (measure: (side: Side) => Promise<Figures>): Measurement['sides'] => ({
    ours: () => measure(ours),
    ...(against && { against: () => measure(against) }),
  });
  const caseOf = (name: string, unit: string, figure: string): Measured => ({
    name,
    unit,
    figure,
    ours: 'ours',
    baseline: against && 'against',
  });

  const alone = (tier: JobTier): Measurement => {
    const toBare = (shape: string): Measured => ({
      name: `job-${tier}-cpu-to-${shape}-shape`,
      unit: CPU,
      figure: 'cpu',
      ours: 'ours',
      baseline: shape,
    });
    return {
      sides: {
        ...sidesOf((side) => side.measure(tier, IN_TURN, 1)),
        ...(bare && {
          old: () => bare.old.measure(tier, IN_TURN, 1),
          lean: () => bare.lean.measure(tier, IN_TURN, 1),
        }),
      },
      cases: [
        caseOf(`job-${tier}-cpu`, CPU, 'cpu'),
        ...(bare ? [toBare('old'), toBare('lean')] : []),
        caseOf(tier === 'silver' ? 'job-latency' : `job-${tier}-latency`, BEYOND, 'latency'),
      ],
    };
  };

  const atOnce = (tier: JobTier): Measurement => ({
    sides: sidesOf((side) => side.measure(tier, 1, AT_ONCE)),
    cases: [
      caseOf(`job-${tier}-cpu-at-once`, CPU, 'cpu'),
      caseOf(tier === 'silver' ? 'job-latency-at-once' : `job-${tier}-latency-at-once`, BEYOND, 'latency'),
    ],
  });

  return [
    alone('silver'),
    atOnce('silver'),
    alone('gold'),
    atOnce('gold'),
    ...CROWDS.map(
      (crowd): Measurement => ({
        sides: sidesOf((side) => side.measure('silver', 1, crowd.atOnce)),
        cases: [caseOf(`job-throughput-${crowd.atOnce}`, 'jobs/s', 'throughput')],
        mostRounds: crowd.mostRounds,
      }),
    ),
    {
      sides: sidesOf((side) => side.memory(jobs)),
      cases: [
        caseOf('stack-memory', 'MiB proportional', 'stack'),
        caseOf('worker-memory', 'MiB resident', 'worker'),
        caseOf('node-memory', 'MiB resident', 'node'),
      ],
      mostRounds: 1,
    },
  ];
};
