import { MAX_ARTIFACT_BYTES } from '../../domain/ports/artifacts.ts';
import type { AvailabilityProof } from '../../domain/proof/availability-record.ts';
import { observerMembers } from './observers.ts';
import {
  base64Url,
  type Check,
  closed,
  exactly,
  hex,
  instant,
  listOf,
  orNull,
  text,
  whole,
  within,
} from './shape.ts';

const MOST_ROUNDS = 64;
const MOST_CHUNKS = 64;
const MOST_RECEIPTS = 7;

const share: Check = (value) => typeof value === 'number' && value >= 0.5 && value <= 1;
const decimal: Check = (value) => typeof value === 'string' && /^[1-9]\d{0,18}$/.test(value);

const terms = closed({
  providerId: text,
  providerKey: hex(32),
  jobId: orNull(text),
  artifact: hex(32),
  size: within(1, MAX_ARTIFACT_BYTES),
  chunkBytes: within(1, 4096),
  chunkRoot: hex(32),
  chunksPerRound: within(1, MOST_CHUNKS),
  rounds: within(2, MOST_ROUNDS),
  from: instant,
  everySeconds: within(1, 31 * 86_400),
  deadlineSeconds: within(1, 3600),
  minimumShare: share,
  ...observerMembers,
});

const answer = closed({
  openings: listOf(closed({ index: whole, chunk: base64Url, path: listOf(hex(32), 64) }), MOST_CHUNKS),
  signature: base64Url,
});

const receipt = closed({
  observer: hex(32),
  outcome: exactly('answered', 'silent', 'unobserved'),
  askedAt: orNull(instant),
  answeredAt: orNull(instant),
  signature: base64Url,
});

const availabilityProof = closed({
  proofId: text,
  record: closed({
    proofType: exactly('proof_of_availability'),
    version: exactly(1),
    terms,
    merkleRoot: hex(32),
    judgement: closed({
      verdict: exactly('available', 'unavailable', 'not-yet-provable'),
      passed: whole,
      failed: whole,
      unobserved: whole,
    }),
  }),
  rounds: listOf(
    closed({
      beacon: closed({ size: decimal, root: hex(32) }),
      answer: orNull(answer),
      receipts: listOf(receipt, MOST_RECEIPTS),
    }),
    MOST_ROUNDS,
  ),
});

/** Whether foreign JSON has the shape of a proof of availability, bounds and closed member sets included. */
export const isAvailabilityProof = (value: unknown): value is AvailabilityProof => availabilityProof(value);
