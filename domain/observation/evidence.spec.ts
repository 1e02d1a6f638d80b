import { expect, it } from 'vitest';
import { AVAILABILITY_TERMS, availabilityProofOf, type Seen } from '../../infra/verify/observed.fixture.ts';
import type { AvailabilityProof } from '../proof/availability-record.ts';
import { availabilityProofFrom, type CollectedRound } from './evidence.ts';

const collected = ({ rounds }: AvailabilityProof): CollectedRound[] =>
  rounds.map(({ beacon, answer, receipts }, round) => ({
    round,
    beacon,
    answer,
    receipts: receipts.toReversed(),
  }));

const SEEN: Seen[][] = [
  [1, 1, 1],
  [1, 'silent', 'unobserved'],
  ['silent', 'silent', 'silent'],
  [1, 3, 1],
];

it('makes the proof that the signatures stand for, whatever order they came in', () => {
  const proof = availabilityProofOf(SEEN);
  expect(availabilityProofFrom(AVAILABILITY_TERMS, collected(proof).toReversed())).toEqual(proof);
});

it('makes none of a window in which a round or a receipt is missing', () => {
  const rounds = collected(availabilityProofOf(SEEN));
  for (const gone of rounds.keys()) {
    expect(availabilityProofFrom(AVAILABILITY_TERMS, rounds.toSpliced(gone, 1))).toBeNull();
    const partial = rounds.map((round, index) =>
      index === gone ? { ...round, receipts: round.receipts.slice(1) } : round,
    );
    expect(availabilityProofFrom(AVAILABILITY_TERMS, partial)).toBeNull();
  }
});

it('leaves out an answer that no observer stands by any more', () => {
  const silent = availabilityProofOf([['silent', 'silent', 'silent'], ...SEEN.slice(1)]);
  const answered = availabilityProofOf(SEEN);
  const rounds = collected(silent).map((round, index) =>
    index === 0 ? { ...round, answer: answered.rounds[0]?.answer ?? null } : round,
  );
  expect(availabilityProofFrom(AVAILABILITY_TERMS, rounds)).toEqual(silent);
});
