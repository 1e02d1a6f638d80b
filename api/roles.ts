import type { Role } from '../domain/subject/events.ts';
import type { Principal } from '../infra/keys/credentials.ts';
import type { RouteAccess } from './define-route.ts';

export const ANONYMOUS: Principal = { id: 'anonymous', roles: [], premium: false };

/** `admin` may do whatever `operator` may. */
export const hasRole = (principal: Principal, ...roles: readonly Role[]): boolean =>
  roles.some(
    (role) => principal.roles.includes(role) || (role === 'operator' && principal.roles.includes('admin')),
  );

export const permits = (access: RouteAccess, principal: Principal): boolean =>
  access === 'open' || access === 'any' || hasRole(principal, ...access);

/** Whether the caller may see what belongs to `owners`: one of them, or somebody whose office it is. */
export const maySee = (
  principal: Principal,
  owners: Iterable<string>,
  offices: readonly Role[] = ['operator', 'auditor'],
): boolean => [...owners].includes(principal.id) || hasRole(principal, ...offices);
