import { ok, type Result } from '../domain/errors.ts';
import type { EventStore } from '../domain/ports/event-store.ts';
import type { Checkpoints } from '../projections/checkpoints.ts';
import { position } from './fields.ts';

/** Longest wait for a read model, ms (requirements §2: bounded, then 503). */
const WAIT_MS = 5000;

/** Query part of every read that can wait for the caller's own writes. */
export const afterQuery = {
  after: position.optional().describe('wait until the answer includes this position'),
};

/** Waits until the read models show `after`; 503 when they do not in time. */
export const readAfter = async (
  checkpoints: Pick<Checkpoints, 'waitFor'>,
  projections: readonly string[],
  after: string | undefined,
): Promise<Result<null>> => {
  if (after === undefined) return ok(null);
  const reached = await checkpoints.waitFor(BigInt(after), projections, WAIT_MS);
  return reached.ok ? ok(null) : reached;
};

export interface ReadBehindLog {
  readonly checkpoints: Pick<Checkpoints, 'waitFor'>;
  readonly store: Pick<EventStore, 'head'>;
}

/**
 * What `look` finds in read models, or else what it finds once they show all that the log holds now: of what a caller has just
 * written nothing is missing, though it names no position. 503 when they do not in time.
 */
export const findWritten = async <T>(
  { checkpoints, store }: ReadBehindLog,
  projections: readonly string[],
  look: () => Promise<T | null>,
): Promise<Result<T | null>> => {
  const found = await look();
  if (found !== null) return ok(found);
  const { position } = await store.head();
  const ready = await readAfter(checkpoints, projections, String(position));
  return ready.ok ? ok(await look()) : ready;
};
