import { type Rejection, reject } from '../../domain/errors.ts';
import type { Role } from '../../domain/subject/events.ts';
import type { Windows } from '../rate-limits/windows.ts';

/** Joins a minute that a key which is no provider yet may try, and all such keys of one network together. */
export const NEWCOMER_LIMITS = { key: 12, network: 60 } as const;

export interface NewcomerDeps {
  /** Roles of the key's principal, none when withdrawn, null when it was never enrolled. */
  readonly rolesOfKey: (publicKey: string) => Promise<readonly Role[] | null>;
  /** Whether an unknown key may enrol itself, as over HTTP (`OPEN_PROVIDER_ENROLMENT`). */
  readonly openEnrolment: boolean;
  readonly windows: Windows;
}

/** Why a key may not become a provider now, or null. Asking writes nothing. */
export type Newcomers = (publicKey: string, network: string) => Promise<Rejection | null>;

/**
 * Who may become a provider over the mesh: the same policy that sign-in follows over HTTP, and a rate, because each try
 * costs the engine a question and the verification of a report. A provider that rejoins is none of its business.
 */
export const createNewcomers = ({ rolesOfKey, openEnrolment, windows }: NewcomerDeps): Newcomers => {
  const admitted = async (key: string, limit: number): Promise<boolean> =>
    (await windows.spend(key, limit)).admitted;

  return async (publicKey, network) => {
    // A key that has spent its own share takes nothing from its neighbours'.
    const within =
      (await admitted(`key ${publicKey}`, NEWCOMER_LIMITS.key)) &&
      (await admitted(`network ${network}`, NEWCOMER_LIMITS.network));
    if (!within) return reject('RATE_LIMIT_EXCEEDED', 'too many joins of new nodes: try again in a minute');
    const roles = await rolesOfKey(publicKey);
    if (roles === null) {
      return openEnrolment
        ? null
        : reject('AUTHORIZATION_FAILED', 'this engine takes only nodes whose key an admin has enrolled');
    }
    return roles.includes('provider')
      ? null
      : reject('AUTHORIZATION_FAILED', 'the role provider was withdrawn from this key');
  };
};
