import type { Award, AwardInput, NoAward } from '../auction/award.ts';
import type { NotReplaced, Replaced, ReplaceInput } from '../quorum/replace.ts';

/** Answers questions of the market wherever it does not hold up who asks. The answers are those of the functions. */
export interface Solver {
  award(input: Omit<AwardInput, 'effort'>): Promise<Award | NoAward>;
  replaceMember(input: Omit<ReplaceInput, 'effort'>): Promise<Replaced | NotReplaced>;
}
