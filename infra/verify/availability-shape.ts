import { MAX_ARTIFACT_BYTES } from '../../domain/ports/artifacts.ts';
import type { AvailabilityProof } from '../../domain/proof/availability-record.ts';
import { observedProof } from './observed-shape.ts';
import { MOST_OBSERVERS } from './observers.ts';
import {
  base64Url,
  type Check,
  closed,
  exactly,
  hex,
  instant,
  listOf,
  orNull,
  whole,
  within,
} from './shape.ts';

const MOST_ROUNDS = 64;
const MOST_CHUNKS = 64;

const share: Check = (value) => typeof value === 'number' && value >= 0.5 && value <= 1;
const decimal: Check = (value) => typeof value === 'string' && /^[1-9]\d{0,18}$/.test(value);

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

const availabilityProof = observedProof({
  proofType: 'proof_of_availability',
  terms: {
    artifact: hex(32),
    size: within(1, MAX_ARTIFACT_BYTES),
    chunkBytes: within(1, 4096),
    chunkRoot: hex(32),
    chunksPerRound: within(1, MOST_CHUNKS),
    rounds: within(2, MOST_ROUNDS),
    everySeconds: within(1, 31 * 86_400),
    deadlineSeconds: within(1, 3600),
    minimumShare: share,
  },
  judgement: {
    verdict: exactly('available', 'unavailable', 'not-yet-provable'),
    passed: whole,
    failed: whole,
    unobserved: whole,
  },
  evidence: {
    rounds: listOf(
      closed({
        beacon: closed({ size: decimal, root: hex(32) }),
        answer: orNull(answer),
        receipts: listOf(receipt, MOST_OBSERVERS),
      }),
      MOST_ROUNDS,
    ),
  },
});

/** Whether foreign JSON has the shape of a proof of availability, bounds and closed member sets included. */
export const isAvailabilityProof = (value: unknown): value is AvailabilityProof => availabilityProof(value);
