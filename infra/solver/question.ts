import { award } from '../../domain/auction/award.ts';
import type { Solver } from '../../domain/ports/solver.ts';
import { replaceMember } from '../../domain/quorum/replace.ts';
import { TIERS } from '../../domain/tiers.ts';

type Input<K extends keyof Solver> = Parameters<Solver[K]>[0];

/** What a thread is asked; plain data. */
export type Question =
  | { readonly kind: 'award'; readonly input: Input<'award'> }
  | { readonly kind: 'replaceMember'; readonly input: Input<'replaceMember'> };

export type Answer = Awaited<ReturnType<Solver[keyof Solver]>>;

export const answer = (question: Question): Answer =>
  question.kind === 'award' ? award(question.input) : replaceMember(question.input);

/** Sets of `size` that can be picked of `count`, without the rules. */
const sets = (count: number, size: number): number => {
  let product = 1;
  for (let index = 0; index < size; index++) product *= Math.max(0, count - index) / (index + 1);
  return product;
};

/** In how many ways a question could be answered: what its answer costs follows from it. */
export const choicesOf = ({ kind, input }: Question): number => {
  const { winners } = TIERS[input.tier];
  if (kind === 'award') return sets(input.bids.length, winners);
  // What members are paid after a loss follows from the whole market, survivors and all.
  const { survivors, reserve, add = 0 } = input;
  return sets(survivors.length + reserve.length, Math.max(winners, survivors.length + add));
};
