import { hexToBytes } from '@noble/hashes/utils.js';
import { leafHash, rootFromPath } from '../../domain/merkle.ts';
import { roundStart } from '../../domain/proof/availability.ts';
import {
  type Answer,
  type AvailabilityRound,
  type AvailabilityTerms,
  answerStatement,
  type Challenge,
  type ChunkOpening,
  type Receipt,
  receiptStatement,
} from '../../domain/proof/availability-record.ts';
import { challengedChunks, chunkCount, chunkLength } from '../../domain/proof/chunks.ts';
import { hashOfJson } from '../../domain/proof/commit.ts';
import { equalBytes } from './bytes.ts';
import { bytesOrNothing } from './evidence.ts';
import { signedBy } from './signed.ts';
import type { Verdict } from './steps.ts';

const opens = (terms: AvailabilityTerms, { index, chunk, path }: ChunkOpening): boolean => {
  const bytes = bytesOrNothing(chunk);
  if (bytes.length !== chunkLength(terms, index)) return false;
  const root = rootFromPath(
    leafHash(bytes),
    BigInt(index),
    BigInt(chunkCount(terms)),
    path.map((hash) => hexToBytes(hash)),
  );
  return root !== null && equalBytes(root, hexToBytes(terms.chunkRoot));
};

/** Whether the answer opens the chunks that its challenge asks for, signed by the node that keeps them. */
export const answerVerdict = (terms: AvailabilityTerms, challenge: Challenge, answer: Answer): Verdict => {
  const asked = challengedChunks(terms, challenge);
  const { openings, signature } = answer;
  if (asked.length !== openings.length || asked.some((index, at) => openings[at]?.index !== index))
    return 'OTHER_CHUNKS';
  if (!openings.every((opening) => opens(terms, opening))) return 'CHUNK_MISMATCH';
  return signedBy(terms.providerKey, answerStatement(challenge, openings), signature)
    ? null
    : 'BAD_SIGNATURE';
};

/** Whether times and answer are those that the outcome has, and the challenge was asked within its round. */
const isConsistent = (
  { outcome, askedAt, answeredAt }: Receipt,
  hasAnswer: boolean,
  [start, end]: readonly [number, number],
): boolean => {
  if (outcome === 'unobserved') return askedAt === null && answeredAt === null;
  const asked = askedAt === null ? Number.NaN : Date.parse(askedAt);
  if (!(asked >= start && asked < end)) return false;
  if (outcome === 'silent') return answeredAt === null;
  return hasAnswer && answeredAt !== null && Date.parse(answeredAt) >= asked;
};

/** Whether each observer of the terms states, once and signed, what it saw of the round. */
export const receiptsVerdict = (
  terms: AvailabilityTerms,
  challenge: Challenge,
  { answer, receipts }: AvailabilityRound,
): Verdict => {
  const isWhole =
    receipts.length === terms.observers.length &&
    terms.observers.every(({ key }, index) => receipts[index]?.observer === key);
  if (!isWhole) return 'RECEIPTS_INCOMPLETE';
  const round = [challenge.round, challenge.round + 1].map((n) => Date.parse(roundStart(terms, n)));
  const span = [round[0] ?? 0, round[1] ?? 0] as const;
  const hash = answer && hashOfJson(answer);
  const isAnswered = receipts.some(({ outcome }) => outcome === 'answered');
  if (isAnswered !== (answer !== null)) return 'RECEIPT_INCONSISTENT';
  if (!receipts.every((receipt) => isConsistent(receipt, answer !== null, span)))
    return 'RECEIPT_INCONSISTENT';
  const hold = receipts.every((receipt) =>
    signedBy(
      receipt.observer,
      receiptStatement(challenge, receipt.outcome === 'answered' ? hash : null, receipt),
      receipt.signature,
    ),
  );
  return hold ? null : 'BAD_SIGNATURE';
};
