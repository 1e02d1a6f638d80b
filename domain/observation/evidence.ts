import { judgeAvailability } from '../proof/availability.ts';
import type {
  Answer,
  AvailabilityProof,
  AvailabilityRound,
  AvailabilityTerms,
  Beacon,
  Receipt,
} from '../proof/availability-record.ts';
import { idOfRecord, rootOfJson } from '../proof/commit.ts';

/** What an observer found in a round: `late` and `wrong` tell apart what the receipt's outcome does not. */
export const FINDINGS = ['answered', 'late', 'wrong', 'silent', 'unobserved'] as const;
export type Finding = (typeof FINDINGS)[number];

/** What was collected of a round; receipts in any order, and perhaps not all of them. */
export interface CollectedRound {
  readonly round: number;
  readonly beacon: Beacon;
  readonly answer: Answer | null;
  readonly receipts: readonly Receipt[];
}

/** The rounds as a proof holds them, or null while one of them, or a receipt, is missing. */
const wholeRounds = (
  { rounds, observers }: AvailabilityTerms,
  collected: readonly CollectedRound[],
): AvailabilityRound[] | null => {
  const whole: AvailabilityRound[] = [];
  for (let number = 0; number < rounds; number++) {
    const round = collected.find((each) => each.round === number);
    const receipts = observers.flatMap(
      ({ key }) => round?.receipts.find(({ observer }) => observer === key) ?? [],
    );
    if (!round || receipts.length !== observers.length) return null;
    // An answer that only a silent receipt could refer to is none.
    const isAnswered = receipts.some(({ outcome }) => outcome === 'answered');
    whole.push({ beacon: round.beacon, answer: isAnswered ? round.answer : null, receipts });
  }
  return whole;
};

/** The proof of availability that a collected window makes; null while it is not whole. */
export const availabilityProofFrom = (
  terms: AvailabilityTerms,
  collected: readonly CollectedRound[],
): AvailabilityProof | null => {
  const rounds = wholeRounds(terms, collected);
  if (!rounds) return null;
  const record = {
    proofType: 'proof_of_availability',
    version: 1,
    terms,
    merkleRoot: rootOfJson(rounds),
    judgement: judgeAvailability(terms, rounds),
  } as const;
  return { proofId: idOfRecord(record), record, rounds };
};
