import { msBetween } from '../time.ts';

/** When a new head is anchored: after so many leaves or so much time, whichever comes first. */
export interface BatchPolicy {
  readonly leaves: bigint;
  readonly intervalMs: number;
}

export interface BatchState {
  /** Size of the newest checkpoint. */
  readonly newest: bigint;
  /** The head that was chosen last, and when; null before the first. */
  readonly previous: { readonly size: bigint; readonly begunAt: string } | null;
  /** Highest position in the newest checkpoint that somebody wants anchored at once; null when nobody does. */
  readonly urgent: bigint | null;
  readonly now: string;
}

/** Whether the newest checkpoint is to be anchored now. The first one is, at once. */
export const isBatchDue = (
  { newest, previous, urgent, now }: BatchState,
  { leaves, intervalMs }: BatchPolicy,
): boolean => {
  if (previous === null) return newest > 0n;
  if (newest <= previous.size) return false;
  const isAwaited = urgent !== null && urgent > previous.size;
  return isAwaited || newest - previous.size >= leaves || msBetween(previous.begunAt, now) >= intervalMs;
};
