import type { VerificationStep } from '../../domain/enclave/events.ts';
import { canonicalJson } from '../../domain/json.ts';
import { judgeAvailability, roundStart } from '../../domain/proof/availability.ts';
import type {
  AvailabilityJudgement,
  AvailabilityProof,
  AvailabilityRound,
  AvailabilityTerms,
  Beacon,
  Challenge,
} from '../../domain/proof/availability-record.ts';
import { hashOfJson, idOfRecord, rootOfJson } from '../../domain/proof/commit.ts';
import { answerVerdict, receiptsVerdict } from './availability-rounds.ts';
import { isAvailabilityProof } from './availability-shape.ts';
import { CLOCK_SKEW_MS, type Now, nowMs } from './clock.ts';
import { expectedSteps } from './expectations.ts';
import { type ObserverPolicy, observersVerdict } from './observers.ts';
import { notChecked, notExpected, stepOf, type Verdict } from './steps.ts';

export interface AvailabilityProofContext {
  readonly now: Now;
  readonly policy?: ObserverPolicy;
  /** Terms that the proof must have. Who names the observers decides whose word counts. */
  readonly expected?: Partial<AvailabilityTerms>;
  /** Signed heads of the log that the verifier trusts: every beacon must be one. Any beacon is taken when absent. */
  readonly heads?: readonly Beacon[];
}

export interface AvailabilityProofVerdict {
  /** Whether the proof holds, whatever it proves: see `judgement`. */
  readonly valid: boolean;
  /** What the rounds amount to, computed anew; null unless the proof holds. */
  readonly judgement: AvailabilityJudgement | null;
  readonly reasons: readonly VerificationStep[];
}

const STEPS = ['id', 'terms', 'tree', 'rounds', 'heads', 'answers', 'receipts', 'judgement', 'time'];

const termsVerdict = (terms: AvailabilityTerms, policy: ObserverPolicy): Verdict =>
  observersVerdict(terms, policy) ??
  (terms.deadlineSeconds <= terms.everySeconds ? null : 'DEADLINE_TOO_LONG');

/** As many as the terms say, each drawn from a head of its own: an old one was known before. */
const roundsVerdict = ({ record, rounds }: AvailabilityProof): Verdict => {
  if (rounds.length !== record.terms.rounds) return 'ROUNDS_INCOMPLETE';
  const sizes = rounds.map(({ beacon }) => BigInt(beacon.size));
  return sizes.every((size, index) => index === 0 || size > (sizes[index - 1] ?? 0n))
    ? null
    : 'BEACON_REUSED';
};

const headsStep = (
  rounds: readonly AvailabilityRound[],
  heads: readonly Beacon[] | undefined,
): VerificationStep => {
  if (heads === undefined) return notExpected('heads');
  const known = new Set(heads.map(({ size, root }) => `${size}/${root}`));
  const all = rounds.every(({ beacon: { size, root } }) => known.has(`${size}/${root}`));
  return stepOf('heads', all ? null : 'UNKNOWN_HEAD');
};

/** Verdict of the first round that has one. */
const firstOf = (
  { record, rounds }: AvailabilityProof,
  verdictOf: (challenge: Challenge, round: AvailabilityRound) => Verdict,
): Verdict => {
  const terms = hashOfJson(record.terms);
  for (const [index, round] of rounds.entries()) {
    const verdict = verdictOf({ terms, round: index, beacon: round.beacon }, round);
    if (verdict !== null) return verdict;
  }
  return null;
};

/**
 * Verifies a proof of availability by value: each round asks for chunks that its beacon draws, the node opens them
 * against the root of the artefact's chunks, every observer signs what it saw and when, and the judgement follows.
 * `proof` may be any JSON; what is not a proof is invalid with code `MALFORMED`. Throws only on a `now` that is not an
 * instant.
 */
export const verifyAvailabilityProof = (
  proof: unknown,
  context: AvailabilityProofContext,
): AvailabilityProofVerdict => {
  const now = nowMs(context.now);
  if (!isAvailabilityProof(proof))
    return {
      valid: false,
      judgement: null,
      reasons: [stepOf('format', 'MALFORMED'), ...STEPS.map(notChecked)],
    };
  const { record, rounds, proofId } = proof;
  const { terms } = record;
  const judgement = judgeAvailability(terms, rounds);
  const isJudged = canonicalJson(judgement) === canonicalJson(record.judgement);
  const isOver = Date.parse(roundStart(terms, terms.rounds)) <= now + CLOCK_SKEW_MS;
  const reasons = [
    stepOf('format', null),
    stepOf('id', proofId === idOfRecord(record) ? null : 'ID_MISMATCH'),
    stepOf('terms', termsVerdict(terms, context.policy ?? {})),
    stepOf('tree', record.merkleRoot === rootOfJson(rounds) ? null : 'ROOT_MISMATCH'),
    stepOf('rounds', roundsVerdict(proof)),
    headsStep(rounds, context.heads),
    stepOf(
      'answers',
      firstOf(proof, (challenge, { answer }) => answer && answerVerdict(terms, challenge, answer)),
    ),
    stepOf(
      'receipts',
      firstOf(proof, (challenge, round) => receiptsVerdict(terms, challenge, round)),
    ),
    stepOf('judgement', isJudged ? null : 'JUDGEMENT_MISMATCH'),
    stepOf('time', isOver ? null : 'FROM_THE_FUTURE'),
    ...expectedSteps(terms, context.expected ?? {}),
  ];
  const valid = reasons.every((step) => step.ok);
  return { valid, judgement: valid ? judgement : null, reasons };
};
