import type { Pool } from 'pg';
import { ok, type Result } from '../../domain/errors.ts';
import type { SubjectCommand } from '../../domain/subject/commands.ts';
import type { CredentialKind, Role } from '../../domain/subject/events.ts';
import type { CommandCaller } from '../journal/handle-command.ts';
import { newApiKey, parseApiKey } from './api-key.ts';
import type { Credentials } from './credentials.ts';
import type { Enrolment } from './enrolment.ts';
import { fingerprintOf, type NewCredential, writePrincipalRows } from './principal-rows.ts';
import type { SubjectStreams } from './subject-streams.ts';

/** A principal as an admin sees it. Secrets are not among it: nobody has them but their holders. */
export interface SubjectView {
  readonly subjectId: string;
  readonly roles: readonly Role[];
  readonly keys: readonly {
    readonly keyId: string;
    readonly kind: CredentialKind;
    readonly createdAt: string;
    readonly revokedAt: string | null;
  }[];
}

export interface Changed {
  readonly subjectId: string;
  readonly roles: readonly Role[];
  /** Position of the change; null when nothing had to change. */
  readonly position: string | null;
}

export interface Keyed extends Changed {
  readonly keyId: string;
  /** Told here and never again; null where the key is the holder's own. */
  readonly apiKey: string | null;
}

/** Principals and their keys, for whoever administers them. Every change is an event on the subject's stream. */
export interface Subjects {
  /** A new principal, known by `publicKey` (Ed25519, lower-case hex) or, without one, by a fresh API key. */
  create(roles: readonly Role[], publicKey: string | null, caller: CommandCaller): Promise<Result<Keyed>>;
  /** One more API key: the new one of a rotation. */
  addKey(subjectId: string, caller: CommandCaller): Promise<Result<Keyed>>;
  /** Replaces all roles. Tokens lose a withdrawn role; they never gain one. */
  changeRoles(subjectId: string, roles: readonly Role[], caller: CommandCaller): Promise<Result<Changed>>;
  /** The key proves nothing any more; tokens end with the last key. */
  revokeKey(subjectId: string, keyId: string, caller: CommandCaller): Promise<Result<Changed>>;
  find(subjectId: string): Promise<SubjectView | null>;
  /** In the order of their ids, `limit` after `cursor`. */
  list(page: {
    readonly limit: number;
    readonly cursor?: string | undefined;
  }): Promise<readonly SubjectView[]>;
}

const RFC3339 = `'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'`;
const SELECT = `
  select p.principal_id as "subjectId", p.roles, coalesce(json_agg(json_build_object(
           'keyId', c.credential_id, 'kind', c.kind,
           'createdAt', to_char(c.created_at at time zone 'UTC', ${RFC3339}),
           'revokedAt', to_char(c.revoked_at at time zone 'UTC', ${RFC3339}))
         order by c.created_at, c.credential_id) filter (where c.credential_id is not null), '[]') as keys
    from engine.principals p left join engine.credentials c using (principal_id)`;

/** A fresh API key and the row that recognises it. */
const freshKey = () => {
  const apiKey = newApiKey();
  const parts = parseApiKey(apiKey);
  if (!parts) throw new Error('a fresh API key does not parse');
  const credential: NewCredential = {
    credentialId: parts.id,
    kind: 'api-key',
    secretHash: parts.secretHash,
  };
  return { apiKey, credential };
};

export const createSubjects = ({
  pool,
  streams,
  enrolment,
  credentials,
}: {
  pool: Pool;
  streams: SubjectStreams;
  enrolment: Enrolment;
  credentials: Pick<Credentials, 'forget'>;
}): Subjects => {
  const change = async (
    subjectId: string,
    command: SubjectCommand,
    caller: CommandCaller,
    added: NewCredential | null = null,
  ): Promise<Result<Changed>> => {
    const outcome = await streams.execute(subjectId, command, caller);
    if (!outcome.ok) return outcome;
    await writePrincipalRows(pool, outcome, added);
    credentials.forget();
    return ok({ subjectId, roles: outcome.subject.roles, position: outcome.position });
  };

  return {
    async create(roles, publicKey, caller) {
      if (publicKey !== null) {
        const enrolled = await enrolment.enrolPublicKey(publicKey, roles, caller);
        return enrolled.ok ? ok({ ...enrolled.value, keyId: publicKey, apiKey: null }) : enrolled;
      }
      const { apiKey, credential } = freshKey();
      const enrolled = await enrolment.enrolApiKey(apiKey, roles, caller);
      return enrolled.ok ? ok({ ...enrolled.value, keyId: credential.credentialId, apiKey }) : enrolled;
    },

    async addKey(subjectId, caller) {
      const { apiKey, credential } = freshKey();
      const keyId = credential.credentialId;
      const command = { type: 'add-key', credential: 'api-key', fingerprint: fingerprintOf(keyId) } as const;
      const added = await change(subjectId, command, caller, credential);
      return added.ok ? ok({ ...added.value, keyId, apiKey }) : added;
    },

    changeRoles: (subjectId, roles, caller) => change(subjectId, { type: 'change-roles', roles }, caller),

    revokeKey: (subjectId, keyId, caller) =>
      change(subjectId, { type: 'revoke-key', fingerprint: fingerprintOf(keyId) }, caller),

    async find(subjectId) {
      const { rows } = await pool.query<SubjectView>(
        `${SELECT} where p.principal_id = $1 group by p.principal_id`,
        [subjectId],
      );
      return rows[0] ?? null;
    },

    async list({ limit, cursor = '' }) {
      const { rows } = await pool.query<SubjectView>(
        `${SELECT} where p.principal_id > $1 group by p.principal_id order by p.principal_id limit $2`,
        [cursor, limit],
      );
      return rows;
    },
  };
};
