import { ok, type Result, reject } from '../../../domain/errors.ts';
import type { Principal } from '../../../infra/keys/credentials.ts';
import { getProvider } from '../../../projections/providers/queries.ts';
import type { ProviderRow } from '../../../projections/providers/table.ts';
import { type OwnProvidersDeps, ownProviders } from '../../own-providers.ts';
import { findWritten } from '../../read-after.ts';
import { hasRole } from '../../roles.ts';

/**
 * The node that a caller means: one of its own, or any for those whose office it is. Without an id, the only one it has.
 */
export const nodeOf = async (
  deps: OwnProvidersDeps,
  principal: Principal,
  nodeId: string | undefined,
): Promise<Result<ProviderRow>> => {
  const official = hasRole(principal, 'operator', 'auditor', 'engine');
  if (nodeId === undefined) {
    const all = await ownProviders(deps, principal.id);
    if (!all.ok) return all;
    const [own, ...others] = all.value;
    if (own && others.length === 0) return ok(own);
    return reject('RESOURCE_NOT_FOUND', own ? 'you have more than one node' : 'you have no node', [
      { field: 'node_id', rule: 'a node of yours' },
    ]);
  }
  const found = await findWritten(deps, ['providers'], () => getProvider(deps.db, nodeId));
  if (!found.ok) return found;
  const node = found.value;
  if (node && (official || node.owner === principal.id)) return ok(node);
  return reject('RESOURCE_NOT_FOUND', `no node ${nodeId}`, [{ field: 'node_id', rule: 'a node of yours' }]);
};
