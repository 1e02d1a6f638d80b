import { ok, type Result } from '../domain/errors.ts';
import type { Session } from '../projections/projection.ts';
import { listProviders } from '../projections/providers/queries.ts';
import type { ProviderRow } from '../projections/providers/table.ts';
import { findWritten, type ReadBehindLog } from './read-after.ts';

export interface OwnProvidersDeps extends ReadBehindLog {
  /** Read models. */
  readonly db: Session;
}

/** The providers of an owner, one that was registered a moment ago included. 503 when the read models are far behind. */
export const ownProviders = async (
  deps: OwnProvidersDeps,
  owner: string,
): Promise<Result<readonly ProviderRow[]>> => {
  const found = await findWritten(deps, ['providers'], async () => {
    const own = await listProviders(deps.db, { owner });
    return own.length > 0 ? own : null;
  });
  return found.ok ? ok(found.value ?? []) : found;
};
