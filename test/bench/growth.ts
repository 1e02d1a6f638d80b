import { readFileSync } from 'node:fs';
import pg from 'pg';
import { migrate } from '../../infra/postgres/migrate.ts';
import { processTree } from '../support/process-tree.ts';
import { openAgedEngine, PHASES, type Phase } from './growth/aged-engine.ts';
import {
  type CaseResult,
  type OpenSuite,
  quantile,
  type RunOptions,
  resultOf,
  round3,
  type Suite,
  timed,
} from './harness.ts';
import { opened, temporaryServers } from './temporary.ts';

/** Stored jobs; as many more as are asked for (100,000 take some minutes to store). */
const SIZES = [100, 1_000, 10_000];
/** Jobs of one measurement. */
const JOBS = 4;
/** Measurements that are thrown away: what V8 compiles belongs to no size. */
const WARM_UP = 4;

type Costs = Record<Phase | 'job' | 'restart', number>;
const FIGURES = ['job', ...PHASES, 'restart'] as const;

/** CPU ms of this process, and of a server with its children as they are now. */
const cpuMs = (serverPid: number): number => {
  const { user, system } = process.cpuUsage();
  const server = processTree(serverPid).reduce((sum, pid) => {
    // First field of /proc/<pid>/schedstat: ns on the CPU.
    return sum + Number(readFileSync(`/proc/${pid}/schedstat`, 'latin1').split(' ')[0]);
  }, 0);
  return (user + system) / 1000 + server / 1e6;
};

const sum = (costs: Record<Phase, number>): number =>
  PHASES.reduce((total, phase) => total + costs[phase], 0);

/** Least squares of log cost over log size: the power of the size that the cost follows. */
const exponentOf = (medians: readonly number[], sizes: readonly number[]): number => {
  const points = sizes.map((size, index) => [Math.log(size), Math.log(medians[index] as number)] as const);
  const [x, y] = [0, 1].map(
    (axis) => points.reduce((total, point) => total + (point[axis] as number), 0) / points.length,
  ) as [number, number];
  const over = points.reduce((total, [a, b]) => total + (a - x) * (b - y), 0);
  return over / points.reduce((total, [a]) => total + (a - x) ** 2, 0);
};

const open = (): Promise<OpenSuite> =>
  opened(async (started) => {
    const server = await (await temporaryServers(started)).postgres(false);
    // Its work between the measurements belongs to none of them.
    await query(server.url, 'alter system set autovacuum = off', 'select pg_reload_conf()');
    return {
      cases: [],
      measured: ({ rounds, jobs = 0, onProgress }: RunOptions) => {
        const sizes = [...SIZES, ...(jobs > Math.max(...SIZES) ? [jobs] : [])];
        return measure(server, { rounds, sizes, onProgress });
      },
    };
  });

const query = async (url: string, ...texts: readonly string[]): Promise<void> => {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  for (const text of texts) await client.query(text);
  await client.end();
};

interface Measuring {
  readonly rounds: number;
  readonly sizes: readonly number[];
  readonly onProgress: RunOptions['onProgress'];
}

const measure = async (
  server: { readonly url: string; readonly pid: number },
  { rounds, sizes, onProgress }: Measuring,
): Promise<CaseResult[]> => {
  const used = () => cpuMs(server.pid);
  const engines: Awaited<ReturnType<typeof openAgedEngine>>[] = [];
  try {
    for (const size of sizes) {
      onProgress(`storing ${size} jobs`);
      await query(server.url, `create database growth_${size}`);
      const url = server.url.replace(/[^/]*$/, `growth_${size}`);
      await migrate(url);
      engines.push(await openAgedEngine(url, size, (rounds + WARM_UP) * (JOBS + 1), used));
    }
    const measured: Costs[][] = [];
    for (let round = -WARM_UP; round < rounds; round++) {
      const costs: Costs[] = [];
      for (const engine of engines) {
        const job = await engine.job(JOBS);
        const restart = await engine.firstJob();
        costs.push({ ...job, job: sum(job), restart: sum(restart) });
      }
      if (round >= 0) measured.push(costs);
    }
    return FIGURES.map((figure) => resultOfFigure(figure, measured, sizes));
  } finally {
    for (const engine of engines) await engine.close();
  }
};

/** The largest log beside the smallest, in the same rounds, and the exponent over all sizes. */
const resultOfFigure = (
  figure: keyof Costs,
  measured: readonly (readonly Costs[])[],
  sizes: readonly number[],
): CaseResult => {
  const ofSize = (round: readonly Costs[], size: number): number => (round.at(size) as Costs)[figure];
  const sides = measured.map((round) => ({
    ours: timed(ofSize(round, -1)),
    baseline: timed(ofSize(round, 0)),
  }));
  const medians = sizes.map((_, index) =>
    quantile(
      measured.map((round) => ofSize(round, index)),
      0.5,
    ),
  );
  const exponent = round3(exponentOf(medians, sizes));
  return { ...resultOf(`growth-${figure}`, 'CPU ms a job', sides), exponent };
};

/** What a job's reads and writes cost the engine and its database in a log of 100, 1,000 and 10,000 jobs, and of `jobs`. */
export const suite: Suite = { name: 'growth', open };
