import { MEMBERS } from './adversary/members.ts';
import { ORDERS } from './adversary/orders.ts';
import { RENTED } from './adversary/rented.ts';
import { type Study, studyAttack, studyPeace } from './adversary/study.ts';

export const ATTACKS = [...ORDERS, ...RENTED, ...MEMBERS];

/** Least share of honest jobs that has to clear under an attack. */
export const LEAST_CLEARED = 0.95;

export const holds = ({ factor, cleared }: Study): boolean => factor <= 1 && cleared >= LEAST_CLEARED;

const say = (cells: readonly (string | number)[]): void =>
  void process.stdout.write(
    `${cells.map((cell, index) => (index === 0 ? String(cell).padEnd(52) : String(cell).padStart(13))).join('')}\n`,
  );

/** Every attack upon the same market, each with and without it; fails where one costs its victims more than itself. */
export const run = async (): Promise<void> => {
  const peace = await studyPeace();
  process.stdout.write(
    `without an attack ${(100 * peace).toFixed(0)} % of honest jobs clear; amounts in micro-units\n`,
  );
  say(['attack', 'its cost', "victims' loss", 'of it held', 'factor', 'jobs clear', '']);
  let broken = 0;
  for (const attack of ATTACKS) {
    const study = await studyAttack(attack);
    const { cost, loss, held, factor, cleared } = study;
    if (!holds(study)) broken++;
    say([
      attack.name,
      cost.toFixed(0),
      loss.toFixed(0),
      held.toFixed(0),
      Number.isFinite(factor) ? factor.toFixed(2) : 'infinite',
      `${(100 * cleared).toFixed(0)} %`,
      holds(study) ? '' : 'ABOVE',
    ]);
  }
  if (broken === 0) return;
  process.stdout.write(
    `${broken} of ${ATTACKS.length} attacks cost their victims more than the attacker, or stop the market\n`,
  );
  process.exitCode = 1;
};
