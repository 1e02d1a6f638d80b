import { type JWTPayload, jwtVerify, SignJWT } from 'jose';
import { ROLES, type Role } from '../../domain/subject/events.ts';
import { addSeconds, epochMs } from '../../domain/time.ts';
import type { Signer } from './signer.ts';

export const ISSUER = 'aivillage';
export const ACCESS_AUDIENCE = 'aivillage-api';
/** RFC 9068 type: a quote or any other signed text of ours is never taken for an access token. */
const ACCESS_TYPE = 'at+jwt';
export const ACCESS_TTL_SECONDS = 15 * 60;

export interface AccessClaims {
  readonly subject: string;
  readonly roles: readonly Role[];
  readonly expiresAt: string;
}

export interface AccessTokens {
  issue(
    subject: string,
    roles: readonly Role[],
  ): Promise<{ readonly token: string; readonly expiresAt: string }>;
  /** The claims, or null: bad form, algorithm, key, signature, type, issuer, audience or time. */
  verify(token: string): Promise<AccessClaims | null>;
}

const rolesOf = (payload: JWTPayload): Role[] | null => {
  const roles = payload['roles'];
  if (!Array.isArray(roles)) return null;
  return roles.every((role): role is Role => ROLES.includes(role as Role)) ? roles : null;
};

/** Short-lived EdDSA access tokens under the signer's current `kid`. `now` gives RFC 3339 instants. */
export const createAccessTokens = ({
  signer,
  now,
  newId,
}: {
  signer: Signer;
  now: () => string;
  newId: () => string;
}): AccessTokens => ({
  issue: async (subject, roles) => {
    const issuedAt = now();
    const expiresAt = addSeconds(issuedAt, ACCESS_TTL_SECONDS);
    const token = await new SignJWT({ roles: [...roles] })
      .setProtectedHeader({ alg: 'EdDSA', kid: signer.kid, typ: ACCESS_TYPE })
      .setIssuer(ISSUER)
      .setAudience(ACCESS_AUDIENCE)
      .setSubject(subject)
      .setJti(newId())
      .setIssuedAt(new Date(issuedAt))
      .setExpirationTime(new Date(expiresAt))
      .sign(signer.privateKey);
    return { token, expiresAt };
  },
  verify: async (token) => {
    try {
      const { payload } = await jwtVerify(
        token,
        ({ kid }) => {
          const key = kid ? signer.publicKey(kid) : null;
          if (!key) throw new Error('unknown kid');
          return key;
        },
        {
          algorithms: ['EdDSA'],
          typ: ACCESS_TYPE,
          issuer: ISSUER,
          audience: ACCESS_AUDIENCE,
          requiredClaims: ['sub', 'iat', 'exp', 'jti'],
          currentDate: new Date(epochMs(now())),
        },
      );
      const roles = rolesOf(payload);
      if (!roles || !payload.sub || payload.exp === undefined) return null;
      return { subject: payload.sub, roles, expiresAt: new Date(payload.exp * 1000).toISOString() };
    } catch {
      // Why a token is bad is nobody's business but its holder's; to us it is no identity.
      return null;
    }
  },
});
