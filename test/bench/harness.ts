import { cpus, totalmem } from 'node:os';

/** A measurement of work in CPU time, with the time on the clock beside it. */
export interface Timed {
  readonly value: number;
  /** NaN where nobody asks. */
  readonly wallMs: number;
  /** What the value is the sum of, or what was seen with it, by name. */
  readonly parts?: Parts;
}

/** Two ways of doing the same work. Each call does one measurement and answers with its figure in `unit`. */
export interface Case {
  readonly name: string;
  /** What is counted per second, or the time one operation takes. */
  readonly unit: string;
  ours(): Promise<number | Timed>;
  /** Null where nothing is there to compare with. */
  readonly baseline: (() => Promise<number | Timed>) | null;
}

export interface OpenSuite {
  readonly cases: readonly Case[];
  /** What a suite measures in rounds of its own: all of its cases together, or those that are asked for. */
  measured?(options: RunOptions): AsyncIterable<CaseResult> | Promise<readonly CaseResult[]>;
  close(): Promise<void>;
}

export interface Suite {
  readonly name: string;
  /** Fewest rounds that say something, where one takes long. */
  readonly minRounds?: number;
  /** Starts what the cases need; `against` is another checkout, for suites that compare with one. */
  open(against: string | null): Promise<OpenSuite>;
}

export interface CaseResult {
  readonly name: string;
  /** Medians. */
  readonly ours: number;
  readonly baseline: number | null;
  /** Median over the rounds of ours ÷ baseline in the same round. */
  readonly ratio: number | null;
  readonly unit: string;
  readonly rounds: number;
  /** Interquartile range of the ratio (of ours where there is none) over its median. */
  readonly spread: number;
  /** Where the cost follows a power of how much there is: that power. */
  readonly exponent?: number;
  /** The same in time on the clock, where that is another question. */
  readonly wall_ms?: { readonly ours: number; readonly baseline: number | null };
  /** Means of the parts over the rounds. */
  readonly parts?: { readonly ours: Parts; readonly baseline: Parts | null };
}

export type Parts = Readonly<Record<string, number>>;

export interface SuiteResult {
  readonly suite: string;
  readonly machine: string;
  readonly cases: readonly CaseResult[];
}

export interface RunOptions {
  readonly rounds: number;
  /** Names of the cases to run; all when empty. */
  readonly only: readonly string[];
  readonly against?: string | null;
  /** Jobs after which the suite `job` looks at memory; those that it measured count. Most stored jobs of the suite `growth`. */
  readonly jobs?: number;
  readonly onProgress: (line: string) => void;
}

export const MIN_ROUNDS = 7;

/** Runs every case in interleaved rounds after one that is thrown away: whatever else the machine does meets both sides. */
export const runSuite = async (suite: Suite, options: RunOptions): Promise<SuiteResult> => {
  const { rounds, only, against = null, onProgress } = options;
  const { cases, measured, close } = await suite.open(against);
  try {
    const results: CaseResult[] = [];
    for (const one of cases.filter(({ name }) => only.length === 0 || only.includes(name))) {
      const result = await runCase(one, rounds);
      onProgress(describe(result));
      results.push(result);
    }
    for await (const result of (await measured?.(options)) ?? []) {
      onProgress(describe(result));
      results.push(result);
    }
    return { suite: suite.name, machine: machine(), cases: results };
  } finally {
    await close();
  }
};

const runCase = async ({ name, unit, ours, baseline }: Case, rounds: number): Promise<CaseResult> => {
  const measured: Round[] = [];
  await ours();
  await baseline?.();
  for (let round = 0; round < rounds; round++) {
    // The side that goes first alternates.
    const first = round % 2 === 0 ? await ours() : null;
    const plain = baseline && timed(await baseline());
    measured.push({ ours: timed(first ?? (await ours())), baseline: plain });
  }
  return resultOf(name, unit, measured);
};

type Side = 'ours' | 'baseline';

interface Round {
  readonly ours: Timed;
  /** In every round or in none. */
  readonly baseline: Timed | null;
}

/** What the rounds of a case come to. */
export const resultOf = (name: string, unit: string, measured: readonly Round[]): CaseResult => {
  const baseline = measured.every((round) => round.baseline !== null);
  const figures = (side: Side, figure: 'value' | 'wallMs'): number[] =>
    measured.flatMap((round) => round[side]?.[figure] ?? []);
  const compared = baseline
    ? measured.map((round) => round.ours.value / (round.baseline?.value ?? Number.NaN))
    : figures('ours', 'value');
  const middle = quantile(compared, 0.5);
  const median = (side: Side, figure: 'value' | 'wallMs') => readable(quantile(figures(side, figure), 0.5));
  const baselineOf = (figure: 'value' | 'wallMs'): number | null =>
    baseline ? median('baseline', figure) : null;
  const wall = { ours: median('ours', 'wallMs'), baseline: baselineOf('wallMs') };
  return {
    name,
    ours: median('ours', 'value'),
    baseline: baselineOf('value'),
    ratio: baseline ? round3(middle) : null,
    unit,
    rounds: measured.length,
    spread: round3((quantile(compared, 0.75) - quantile(compared, 0.25)) / middle),
    ...(Number.isNaN(wall.ours) ? {} : { wall_ms: wall }),
    ...(measured.some(({ ours }) => ours.parts) && {
      parts: {
        ours: meanParts(measured, 'ours'),
        baseline: baseline ? meanParts(measured, 'baseline') : null,
      },
    }),
  };
};

/** Means by name: a part that a round does not have is none of it. */
const meanParts = (measured: readonly Round[], side: Side): Parts => {
  const sums: Record<string, number> = {};
  for (const round of measured)
    for (const [name, value] of Object.entries(round[side]?.parts ?? {}))
      sums[name] = (sums[name] ?? 0) + value;
  return Object.fromEntries(
    Object.entries(sums).map(([name, sum]) => [name, readable(sum / measured.length)]),
  );
};

export const timed = (figure: number | Timed): Timed =>
  typeof figure === 'number' ? { value: figure, wallMs: Number.NaN } : figure;

/** Repeats `work` for `ms` and answers with its units per second. `work` answers with the units it did. */
export const throughput = async (ms: number, work: () => Promise<number>): Promise<number> => {
  const start = performance.now();
  let units = 0;
  while (performance.now() - start < ms) units += await work();
  return (units * 1000) / (performance.now() - start);
};

/** Repeats `work` for about `ms` and answers with the CPU time of this process for one operation, in ms. */
export const cpuTime = async (ms: number, work: () => unknown): Promise<Timed> => {
  const cpu = process.cpuUsage();
  const start = performance.now();
  let operations = 0;
  do {
    await work();
    operations += 1;
  } while (performance.now() - start < ms);
  const { user, system } = process.cpuUsage(cpu);
  return {
    value: (user + system) / 1000 / operations,
    wallMs: (performance.now() - start) / operations,
  };
};

/** Linear interpolation between the two nearest values. */
export const quantile = (values: readonly number[], at: number): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const index = (sorted.length - 1) * at;
  const low = sorted[Math.floor(index)] ?? Number.NaN;
  const high = sorted[Math.ceil(index)] ?? Number.NaN;
  return low + (high - low) * (index % 1);
};

/** Throughputs are whole, times of an operation are not. */
const readable = (value: number): number => (value >= 100 ? Math.round(value) : round3(value));

export const round3 = (value: number): number => Math.round(value * 1000) / 1000;

const machine = (): string => {
  const [cpu] = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  return `${cpus().length} × ${cpu?.model ?? 'unknown'}, ${memory} GiB, ${process.platform}, node ${process.version}`;
};

const describe = (result: CaseResult): string => {
  const { name, ours, baseline, ratio, unit, rounds, spread, exponent, wall_ms: wall, parts } = result;
  const beside = baseline === null ? '' : `baseline ${baseline} ${unit}, ratio ${ratio} `;
  const clock = wall ? `; on the clock ${[wall.ours, wall.baseline ?? []].flat().join(' beside ')} ms` : '';
  const power = exponent === undefined ? '' : `, exponent ${exponent}`;
  return `${name.padEnd(18)} ours ${ours} ${unit}, ${beside}(${rounds} rounds, spread ${spread})${power}${clock}${parts ? describeParts(parts) : ''}`;
};

/** A line for each part, beside that of the baseline. */
const describeParts = ({ ours, baseline }: NonNullable<CaseResult['parts']>): string =>
  [...new Set([...Object.keys(ours), ...Object.keys(baseline ?? {})])]
    .map((name) => {
      const beside = baseline === null ? '' : `  beside ${baseline[name] ?? 0}`;
      return `\n    ${name.padEnd(28)} ${String(ours[name] ?? 0).padStart(9)}${beside}`;
    })
    .join('');
