import { ed25519 } from '@noble/curves/ed25519.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { agreedRuns } from '../../domain/proof/agreed-runs.ts';
import { judgeAvailability, roundStart } from '../../domain/proof/availability.ts';
import {
  type AvailabilityProof,
  type AvailabilityRound,
  type AvailabilityTerms,
  answerStatement,
  type Beacon,
  type Receipt,
  receiptStatement,
} from '../../domain/proof/availability-record.ts';
import { challengedChunks, chunkTree } from '../../domain/proof/chunks.ts';
import { hashOfJson, idOfRecord, rootOfJson } from '../../domain/proof/commit.ts';
import type { Observer } from '../../domain/proof/observer.ts';
import { judgeCompliance } from '../../domain/proof/sla.ts';
import {
  type SampleRun,
  type SlaProof,
  type SlaTerms,
  sampleStatement,
} from '../../domain/proof/sla-record.ts';
import { addSeconds } from '../../domain/time.ts';
import { toBase64Url } from './bytes.ts';

/** A node that signs: its seed is one byte over and over. */
export interface Signing {
  readonly key: string;
  sign(message: Uint8Array): string;
}

export const signingNode = (seed: number): Signing => {
  const secret = new Uint8Array(32).fill(seed);
  return {
    key: bytesToHex(ed25519.getPublicKey(secret)),
    sign: (message) => toBase64Url(ed25519.sign(message, secret)),
  };
};

export const NODE = signingNode(1);
export const OBSERVERS: readonly Signing[] = [2, 3, 4].map(signingNode);
export const FROM = '2026-01-01T00:00:00.000Z';

const observers: readonly Observer[] = OBSERVERS.map(({ key }, index) => ({ id: `provider-${index}`, key }));

export const SLA_TERMS: SlaTerms = {
  providerId: 'provider-node',
  providerKey: NODE.key,
  jobId: null,
  availability: 0.99,
  periodSeconds: 5,
  from: FROM,
  slots: 1000,
  observers,
  quorum: 2,
  creditOn: 'over-budget',
};

/** A proof as these observers sign it. @param seen what each of them saw, in one report. */
export const slaProofOf = (
  seen: readonly (readonly SampleRun[])[],
  terms: SlaTerms = SLA_TERMS,
  signers: readonly Signing[] = OBSERVERS,
): SlaProof => {
  const reports = signers.map(({ key, sign }, index) => {
    const report = { observer: key, firstSlot: 0, runs: seen[index] ?? [] };
    return { ...report, signature: sign(sampleStatement(hashOfJson(terms), report)) };
  });
  const record = {
    proofType: 'proof_of_sla_compliance',
    version: 1,
    terms,
    merkleRoot: rootOfJson(reports),
    judgement: judgeCompliance(terms, agreedRuns(terms, reports) ?? []),
  } as const;
  return { proofId: idOfRecord(record), record, reports };
};

export const ARTIFACT = Uint8Array.from({ length: 10_000 }, (_, index) => (index * 31) % 251);

export const AVAILABILITY_TERMS: AvailabilityTerms = {
  providerId: 'provider-node',
  providerKey: NODE.key,
  jobId: null,
  artifact: 'ab'.repeat(32),
  size: ARTIFACT.length,
  chunkBytes: 64,
  chunkRoot: bytesToHex(chunkTree(ARTIFACT, 64).root),
  chunksPerRound: 3,
  rounds: 4,
  from: FROM,
  everySeconds: 60,
  deadlineSeconds: 2,
  minimumShare: 0.75,
  observers,
  quorum: 2,
};

export const headOf = (round: number): Beacon => ({
  size: String(100 + round),
  root: hashOfJson({ head: round }),
});

/** What one observer sees of a round: an answer after so many seconds, none, or it does not ask. */
export type Seen = number | 'silent' | 'unobserved';

interface AvailabilityOptions {
  readonly terms?: AvailabilityTerms;
  readonly bytes?: Uint8Array;
  readonly heads?: readonly Beacon[];
  readonly signers?: readonly Signing[];
}

/** A proof as node and observers sign it. @param seen per round, per observer. */
export const availabilityProofOf = (
  seen: readonly (readonly Seen[])[],
  { terms = AVAILABILITY_TERMS, bytes = ARTIFACT, heads, signers = OBSERVERS }: AvailabilityOptions = {},
): AvailabilityProof => {
  const tree = chunkTree(bytes, terms.chunkBytes);
  const rounds = seen.map((each, round): AvailabilityRound => {
    const challenge = { terms: hashOfJson(terms), round, beacon: heads?.[round] ?? headOf(round) };
    const openings = challengedChunks(terms, challenge).map((index) => ({
      index,
      chunk: toBase64Url(bytes.subarray(index * terms.chunkBytes, (index + 1) * terms.chunkBytes)),
      path: tree.path(index).map(bytesToHex),
    }));
    const isAnswered = each.some((one) => typeof one === 'number');
    const answer = isAnswered
      ? { openings, signature: NODE.sign(answerStatement(challenge, openings)) }
      : null;
    const receipts = signers.map(({ key, sign }, index): Receipt => {
      const outcome = each[index] ?? 'unobserved';
      const askedAt = addSeconds(roundStart(terms, round), 1);
      const facts = {
        observer: key,
        outcome: typeof outcome === 'number' ? ('answered' as const) : outcome,
        askedAt: outcome === 'unobserved' ? null : askedAt,
        answeredAt: typeof outcome === 'number' ? addSeconds(askedAt, outcome) : null,
      };
      const got = typeof outcome === 'number' ? hashOfJson(answer) : null;
      return { ...facts, signature: sign(receiptStatement(challenge, got, facts)) };
    });
    return { beacon: challenge.beacon, answer, receipts };
  });
  const record = {
    proofType: 'proof_of_availability',
    version: 1,
    terms,
    merkleRoot: rootOfJson(rounds),
    judgement: judgeAvailability(terms, rounds),
  } as const;
  return { proofId: idOfRecord(record), record, rounds };
};
