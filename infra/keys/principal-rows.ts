import { createHash } from 'node:crypto';
import type { Pool } from 'pg';
import type { CredentialKind } from '../../domain/subject/events.ts';
import type { SubjectAt } from './subject-streams.ts';

/** A credential as the table keeps it; of an API key, the hash of its secret alone. */
export interface NewCredential {
  readonly credentialId: string;
  readonly kind: CredentialKind;
  readonly secretHash: Buffer | null;
}

/** What events call a credential: hex SHA-256 of its id. */
export const fingerprintOf = (credentialId: string): string =>
  createHash('sha256').update(credentialId).digest('hex');

/**
 * Brings the rows that sign-in reads to what the subject's events say, and stores a credential that goes with them.
 * Events come first, so a crash in between is repaired by repeating the call. An older state never replaces a newer one,
 * and a revoked key stays revoked.
 */
export const writePrincipalRows = async (
  pool: Pool,
  { subject, revision }: SubjectAt,
  added: NewCredential | null = null,
): Promise<void> => {
  const revoked = subject.keys.filter((key) => key.revoked).map((key) => key.fingerprint);
  await pool.query(
    `insert into engine.principals as p (principal_id, roles, revision) values ($1, $2, $3)
     on conflict (principal_id) do update set roles = excluded.roles, revision = excluded.revision
      where p.revision < excluded.revision`,
    [subject.subjectId, [...subject.roles], revision],
  );
  if (added) {
    await pool.query(
      `insert into engine.credentials (credential_id, principal_id, kind, secret_hash)
       values ($1, $2, $3, $4) on conflict do nothing`,
      [added.credentialId, subject.subjectId, added.kind, added.secretHash],
    );
  }
  if (revoked.length === 0) return;
  await pool.query(
    `update engine.credentials set revoked_at = now()
      where principal_id = $1 and revoked_at is null
        and encode(sha256(convert_to(credential_id, 'UTF8')), 'hex') = any($2)`,
    [subject.subjectId, revoked],
  );
};
