import { loadavg } from 'node:os';
import { award } from '../../domain/auction/award.ts';
import { beyondExact, HARD_MARKETS } from '../../domain/auction/hard-markets.fixture.ts';
import { toMicro } from '../../domain/money.ts';
import { effortOf } from '../../domain/quorum/search/effort.ts';
import { SOLVE_STEPS } from '../../domain/quorum/solve.ts';
import { TYPE_UNAVAILABILITY } from '../../domain/tiers.ts';

const SIZES = [100, 200, 1000] as const;
const MARKETS_EACH = 3;

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const row = (cells: readonly (string | number)[]): string =>
  cells.map((cell, index) => (index === 0 ? String(cell).padEnd(34) : String(cell).padStart(13))).join('');

/** The hardest markets known, for platinum: the worst of a few of each, with all critical values. */
export const run = (): void => {
  say(`an award may take ${SOLVE_STEPS} steps; load average ${loadavg()[0]?.toFixed(1)}`);
  say(row(['market', 'bids', 'CPU ms', 'steps', 'answer']));
  for (const [name, marketOf] of Object.entries({ ...HARD_MARKETS, 'beyond an exact answer': beyondExact })) {
    for (const size of SIZES) {
      const answers = Array.from({ length: MARKETS_EACH }, (_, number) => {
        const bids = marketOf(size, number + 1);
        const effort = effortOf(SOLVE_STEPS);
        const before = process.cpuUsage();
        const result = award({
          tier: 'platinum',
          ceiling: toMicro('9'.repeat(26)),
          bids,
          typeUnavailability: TYPE_UNAVAILABILITY,
          seed: 'ab'.repeat(32),
          effort,
        });
        const { user, system } = process.cpuUsage(before);
        const answer = result.ok ? result.solution.method : 'no set';
        return { cpu: (user + system) / 1000, steps: effort.spent(), answer };
      });
      const worst = answers.reduce((a, b) => (b.steps > a.steps ? b : a));
      say(row([name, size, worst.cpu.toFixed(0), worst.steps, worst.answer]));
    }
  }
};
