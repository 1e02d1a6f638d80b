import { ok, type Result, reject } from '../../../domain/errors.ts';
import type { Principal } from '../../../infra/keys/credentials.ts';
import type { Session } from '../../../projections/projection.ts';
import { getProvider, listProviders } from '../../../projections/providers/queries.ts';
import type { ProviderRow } from '../../../projections/providers/table.ts';
import { hasRole } from '../../roles.ts';

/**
 * The node that a caller means: one of its own, or any for those whose office it is. Without an id, the only one it has.
 */
export const nodeOf = async (
  db: Session,
  principal: Principal,
  nodeId: string | undefined,
): Promise<Result<ProviderRow>> => {
  const official = hasRole(principal, 'operator', 'auditor', 'engine');
  if (nodeId === undefined) {
    const [own, ...others] = await listProviders(db, { owner: principal.id });
    if (own && others.length === 0) return ok(own);
    return reject('RESOURCE_NOT_FOUND', own ? 'you have more than one node' : 'you have no node', [
      { field: 'node_id', rule: 'a node of yours' },
    ]);
  }
  const node = await getProvider(db, nodeId);
  if (node && (official || node.owner === principal.id)) return ok(node);
  return reject('RESOURCE_NOT_FOUND', `no node ${nodeId}`, [{ field: 'node_id', rule: 'a node of yours' }]);
};
