import type { AppendResult } from '../../../domain/ports/event-store.ts';
import type { AppendRequest } from '../request.ts';

/** A request in the lane, with its caller. */
export interface Pending {
  readonly request: AppendRequest;
  /** Monotonic ms after which a failing server is no longer retried. */
  readonly deadline: number;
  /** Set after a batch failed for a reason that may lie in one member: each is then tried by itself. */
  alone: boolean;
  resolve(result: AppendResult): void;
  reject(error: Error): void;
}

/** Revision of each stream after the batch. */
export type Tails = ReadonlyMap<string, bigint>;

/** Envelope of the newest event of each stream in the batch. */
type Lasts = ReadonlyMap<string, string>;

export interface Batch {
  readonly members: readonly Pending[];
  readonly tails: Tails;
}

const MAX_APPENDS = 256;
const MAX_LENGTH = 1 << 20;

const continues = (tails: Tails, lasts: Lasts, { parts }: AppendRequest): boolean =>
  parts.every(
    ({ stream, expected, previous }) =>
      (tails.get(stream) ?? expected) === expected &&
      (previous === undefined || (lasts.get(stream) ?? previous) === previous),
  );

/**
 * The next batch of the queue, in its order, and what stays. A stream comes twice only as a chain: each append expects
 * the revision that the one before it leaves, and its last event where it names one. Other appends to the stream wait.
 */
export const takeBatch = (queue: readonly Pending[]): { batch: Batch; rest: Pending[] } => {
  const members: Pending[] = [];
  const rest: Pending[] = [];
  const tails = new Map<string, bigint>();
  const lasts = new Map<string, string>();
  let length = 0;
  for (const [index, pending] of queue.entries()) {
    const full =
      members.length === MAX_APPENDS || (members.length > 0 && length + pending.request.length > MAX_LENGTH);
    if (full || members[0]?.alone) {
      rest.push(...queue.slice(index));
      break;
    }
    if ((pending.alone && members.length > 0) || !continues(tails, lasts, pending.request)) {
      rest.push(pending);
      continue;
    }
    members.push(pending);
    length += pending.request.length;
    for (const { stream, expected, envelopes } of pending.request.parts) {
      tails.set(stream, expected + BigInt(envelopes.length));
      lasts.set(stream, envelopes.at(-1) as string);
    }
  }
  return { batch: { members, tails }, rest };
};

/** True when the batch moved a stream past what the request expects: it is a replay or a conflict, never an append. */
export const isBehind = (tails: Tails, { parts }: AppendRequest): boolean =>
  parts.some(({ stream, expected }) => (tails.get(stream) ?? expected) > expected);
