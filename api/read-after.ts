import { ok, type Result } from '../domain/errors.ts';
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
