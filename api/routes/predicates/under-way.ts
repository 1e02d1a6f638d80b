import type { Rejection } from '../../../domain/errors.ts';
import type { CommandAccepted } from '../../../domain/ports/lifecycles.ts';
import type { Checkpoints } from '../../../projections/checkpoints.ts';
import { countUnderWay } from '../../../projections/predicates/queries.ts';
import type { Session } from '../../../projections/projection.ts';
import { noPlace } from '../../no-place.ts';

/** Circuits that may be waiting for their key at once: each takes minutes of a processor, one after the other. */
const UNDER_WAY = { total: 8, each: 2 };
/** How long an opening waits for the read model that counts it, ms. */
const COUNTED_MS = 2_000;

/** Opens a circuit for `principal`, if there is room for one more. */
export type OpenCircuit = (
  principal: string,
  open: () => Promise<(CommandAccepted & { readonly ok: true }) | Rejection>,
) => Promise<Rejection | null>;

/**
 * Bounds how many circuits are made at once, for each principal and in all. A process opens one after the other, each
 * counted by the read model before the next; several processes may be off by one each.
 */
export const createOpenCircuit = ({
  db,
  checkpoints,
}: {
  readonly db: Session;
  readonly checkpoints: Pick<Checkpoints, 'waitFor'>;
}): OpenCircuit => {
  let last: Promise<unknown> = Promise.resolve();
  return (principal, open) => {
    const next = last.then(async (): Promise<Rejection | null> => {
      const { own, all } = await countUnderWay(db, principal);
      if (own >= UNDER_WAY.each) return noPlace('own', 'circuits');
      if (all >= UNDER_WAY.total) return noPlace('all', 'circuits');
      const outcome = await open();
      if (!outcome.ok) return outcome;
      await checkpoints.waitFor(BigInt(outcome.position), ['predicates'], COUNTED_MS);
      return null;
    });
    last = next.catch(() => undefined);
    return next;
  };
};
