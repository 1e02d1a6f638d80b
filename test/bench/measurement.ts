import { type CaseResult, resultOf, type Timed } from './harness.ts';

/** What one measurement of a side answers with, by figure. */
export type Figures = Readonly<Record<string, Timed>>;

/** Several cases from the same measurements. */
export interface Measurement {
  /** Sides that take turns, by name. */
  readonly sides: Readonly<Record<string, () => Promise<Figures>>>;
  readonly cases: readonly {
    readonly name: string;
    readonly unit: string;
    readonly figure: string;
    /** Names of sides. */
    readonly ours: string;
    readonly baseline: string | null;
  }[];
  /** Most rounds, where one takes minutes. */
  readonly mostRounds?: number;
}

/** Measures all sides that a case asks for in interleaved rounds: the side that goes first changes from round to round. */
export const runMeasurement = async (
  { sides, cases, mostRounds = Number.POSITIVE_INFINITY }: Measurement,
  rounds: number,
): Promise<readonly CaseResult[]> => {
  const measured: Record<string, Figures>[] = [];
  const order = Object.entries(sides).filter(([name]) =>
    cases.some(({ ours, baseline }) => name === ours || name === baseline),
  );
  for (let round = 0; round < Math.min(rounds, mostRounds); round++) {
    const figures: Record<string, Figures> = {};
    for (let turn = 0; turn < order.length; turn++) {
      const [name, measure] = order[(round + turn) % order.length] as (typeof order)[number];
      figures[name] = await measure();
    }
    measured.push(figures);
  }
  const figureOf = (figures: Record<string, Figures>, side: string, figure: string): Timed => {
    const found = figures[side]?.[figure];
    if (!found) throw new Error(`${side} has no figure ${figure}`);
    return found;
  };
  return cases.map(({ name, unit, figure, ours, baseline }) =>
    resultOf(
      name,
      unit,
      measured.map((figures) => ({
        ours: figureOf(figures, ours, figure),
        baseline: baseline === null ? null : figureOf(figures, baseline, figure),
      })),
    ),
  );
};
