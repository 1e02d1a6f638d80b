import { ok, type Result, reject } from '../../domain/errors.ts';
import type { Role } from '../../domain/subject/events.ts';
import { ACCESS_TTL_SECONDS, type AccessTokens } from '../../infra/keys/access-tokens.ts';
import type { Challenges } from '../../infra/keys/challenges.ts';
import type { Credentials, Principal } from '../../infra/keys/credentials.ts';
import type { Enrolment } from '../../infra/keys/enrolment.ts';

export interface SignInDependencies {
  readonly credentials: Credentials;
  readonly tokens: AccessTokens;
  readonly challenges: Challenges;
  readonly enrolment: Enrolment;
  /** Roles that an unknown key gets by proving itself; everybody else has to be enrolled first. */
  readonly openRoles: readonly Role[];
}

export interface Granted {
  readonly principal: string;
  readonly accessToken: string;
  readonly expiresIn: number;
  readonly roles: readonly Role[];
}

export interface SignIn {
  /** Whose this API key or public key is, before anything is proved by it; null when it is nobody's. */
  holderOf(credential: { readonly apiKey: string } | { readonly publicKey: string }): Promise<string | null>;
  withApiKey(apiKey: string, role?: Role): Promise<Result<Granted>>;
  /** Step one with a key: a challenge to sign. 403 where the role could not be granted anyway. */
  challenge(
    publicKey: string,
    role?: Role,
  ): Promise<Result<{ readonly challenge: string; readonly expiresAt: string }>>;
  /** Step two: the signed challenge. An unknown key is enrolled here, when the role is an open one. */
  withSignature(answer: {
    readonly publicKey: string;
    readonly challenge: string;
    readonly signature: Uint8Array;
  }): Promise<Result<Granted>>;
}

const notGranted = (role: Role | null | undefined) =>
  reject('AUTHORIZATION_FAILED', 'this identity does not have the role', [
    { field: 'role', rule: role ? `granted to you: ${role} is not` : 'granted to you' },
  ]);

export const createSignIn = (deps: SignInDependencies): SignIn => {
  const { credentials, tokens, challenges, enrolment, openRoles } = deps;

  const grant = async (principal: Principal, role: Role | null | undefined): Promise<Result<Granted>> => {
    if (role && !principal.roles.includes(role)) return notGranted(role);
    const roles = role ? [role] : principal.roles;
    const { token } = await tokens.issue(principal.id, roles);
    return ok({ principal: principal.id, accessToken: token, expiresIn: ACCESS_TTL_SECONDS, roles });
  };

  return {
    holderOf: async (credential) => {
      const principal =
        'apiKey' in credential
          ? await credentials.byApiKey(credential.apiKey)
          : await credentials.byPublicKey(credential.publicKey);
      return principal?.id ?? null;
    },
    withApiKey: async (apiKey, role) => {
      const principal = await credentials.byApiKey(apiKey);
      return principal ? grant(principal, role) : reject('AUTHENTICATION_FAILED', 'the API key is not valid');
    },
    challenge: async (publicKey, role) => {
      const roles = (await credentials.byPublicKey(publicKey))?.roles ?? openRoles;
      if (role ? !roles.includes(role) : roles.length === 0) return notGranted(role);
      return ok(await challenges.issue(publicKey, role ?? null));
    },
    withSignature: async (answer) => {
      const redeemed = await challenges.redeem(answer);
      if (!redeemed) {
        return reject(
          'AUTHENTICATION_FAILED',
          'the challenge is unknown, expired or used, or the signature is wrong',
        );
      }
      const known = await credentials.byPublicKey(answer.publicKey);
      if (known) return grant(known, redeemed.role);
      const roles = redeemed.role ? openRoles.filter((role) => role === redeemed.role) : openRoles;
      if (roles.length === 0) return notGranted(redeemed.role);
      const enrolled = await enrolment.enrolPublicKey(answer.publicKey, roles);
      if (!enrolled.ok) return enrolled;
      const principal = await credentials.byPublicKey(answer.publicKey);
      // Enrolled before and withdrawn since: the key is known, but no identity any more.
      return principal
        ? grant(principal, redeemed.role)
        : reject('AUTHENTICATION_FAILED', 'the key was withdrawn');
    },
  };
};
