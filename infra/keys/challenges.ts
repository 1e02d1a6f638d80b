import { createHash, randomBytes } from 'node:crypto';
import type { Pool } from 'pg';
import type { Role } from '../../domain/subject/events.ts';
import { addSeconds } from '../../domain/time.ts';
import { verifyEd25519 } from './ed25519.ts';

export const CHALLENGE_TTL_SECONDS = 60;

export interface Challenges {
  /** A text to be signed as it is by the holder of `publicKey` (hex), within a minute, once. */
  issue(
    publicKey: string,
    role: Role | null,
  ): Promise<{ readonly challenge: string; readonly expiresAt: string }>;
  /** Uses the challenge up. The role it was asked for, or null unless `signature` answers a live challenge of the key. */
  redeem(answer: {
    readonly publicKey: string;
    readonly challenge: string;
    readonly signature: Uint8Array;
  }): Promise<{ readonly role: Role | null } | null>;
}

const hashOf = (challenge: string): Buffer => createHash('sha256').update(challenge).digest();

/** Sign-in challenges of `engine.challenges`. The text names its purpose, so no other protocol's signature fits. */
export const createChallenges = ({ pool, now }: { pool: Pool; now: () => string }): Challenges => ({
  issue: async (publicKey, role) => {
    const issuedAt = now();
    const expiresAt = addSeconds(issuedAt, CHALLENGE_TTL_SECONDS);
    const challenge = `aivillage-sign-in-v1:${expiresAt}:${randomBytes(24).toString('base64url')}`;
    await pool.query(
      `with swept as (delete from engine.challenges where expires_at < $5)
       insert into engine.challenges (challenge_hash, public_key, role, expires_at) values ($1, $2, $3, $4)`,
      [hashOf(challenge), publicKey, role, expiresAt, issuedAt],
    );
    return { challenge, expiresAt };
  },
  redeem: async ({ publicKey, challenge, signature }) => {
    if (!verifyEd25519(Buffer.from(publicKey, 'hex'), Buffer.from(challenge), signature)) return null;
    const { rows } = await pool.query<{ role: Role | null }>(
      `delete from engine.challenges where challenge_hash = $1 and public_key = $2 and expires_at > $3 returning role`,
      [hashOf(challenge), publicKey, now()],
    );
    return rows[0] ?? null;
  },
});
