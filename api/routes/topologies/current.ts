import { ok, type Result, reject } from '../../../domain/errors.ts';
import type { Session } from '../../../projections/projection.ts';
import {
  type DrawableTopology,
  nextTopology,
  topologiesInForce,
} from '../../../projections/topologies/queries.ts';

/** The epoch that nodes draw from now, or when there will be one. */
export const currentTopology = async (
  db: Session,
  network: string,
  now: string,
): Promise<Result<DrawableTopology>> => {
  const [current] = await topologiesInForce(db, network, now);
  if (current) return ok(current);
  const next = await nextTopology(db, network, now);
  return reject(
    'RESOURCE_UNAVAILABLE',
    next
      ? `nobody can draw before ${next.startsAt}, when the beacon of epoch ${next.epoch} is fixed`
      : 'no epoch has been announced: no node has registered a VRF key yet',
  );
};
