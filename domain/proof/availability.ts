import { rationalOf } from '../rational.ts';
import { addSeconds, msBetween } from '../time.ts';
import type {
  AvailabilityJudgement,
  AvailabilityRound,
  AvailabilityTerms,
  Receipt,
} from './availability-record.ts';

export type RoundOutcome = 'passed' | 'failed' | 'unobserved';

/** When a round begins; its challenge is asked before the next one begins. */
export const roundStart = ({ from, everySeconds }: AvailabilityTerms, round: number): string =>
  addSeconds(from, round * everySeconds);

const inTime = ({ askedAt, answeredAt }: Receipt, deadlineSeconds: number): boolean =>
  askedAt !== null && answeredAt !== null && msBetween(askedAt, answeredAt) <= deadlineSeconds * 1000;

/** A round by what a quorum of its observers saw; an answer after the deadline counts as none. */
export const roundOutcome = (
  { quorum, deadlineSeconds }: Pick<AvailabilityTerms, 'quorum' | 'deadlineSeconds'>,
  { receipts }: Pick<AvailabilityRound, 'receipts'>,
): RoundOutcome => {
  const asked = receipts.filter(({ outcome }) => outcome !== 'unobserved');
  const answered = asked.filter((receipt) => inTime(receipt, deadlineSeconds)).length;
  if (answered >= quorum) return 'passed';
  return asked.length - answered >= quorum ? 'failed' : 'unobserved';
};

/** Judges a window: one answer proves one moment, many at unpredictable places prove the time between. */
export const judgeAvailability = (
  terms: Pick<AvailabilityTerms, 'minimumShare' | 'quorum' | 'deadlineSeconds'>,
  rounds: readonly Pick<AvailabilityRound, 'receipts'>[],
): AvailabilityJudgement => {
  const outcomes = rounds.map((round) => roundOutcome(terms, round));
  const count = (outcome: RoundOutcome): number => outcomes.filter((each) => each === outcome).length;
  const [passed, failed] = [count('passed'), count('failed')];
  const { numerator, denominator } = rationalOf(terms.minimumShare);
  /** Whether so many of all rounds are enough. */
  const suffice = (many: number): boolean => BigInt(many) * denominator >= BigInt(rounds.length) * numerator;
  const verdict = suffice(passed)
    ? 'available'
    : suffice(rounds.length - failed)
      ? 'not-yet-provable'
      : 'unavailable';
  return { verdict, passed, failed, unobserved: count('unobserved') };
};
