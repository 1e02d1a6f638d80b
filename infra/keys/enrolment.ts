import { createHash, randomBytes } from 'node:crypto';
import type { Pool } from 'pg';
import { ok, type Result, rejectField } from '../../domain/errors.ts';
import { ulidFrom } from '../../domain/ids.ts';
import type { EventStore } from '../../domain/ports/event-store.ts';
import type { CredentialKind, Role } from '../../domain/subject/events.ts';
import type { CommandCaller } from '../journal/handle-command.ts';
import { parseApiKey } from './api-key.ts';
import { fingerprintOf, type NewCredential, writePrincipalRows } from './principal-rows.ts';
import { createSubjectStreams } from './subject-streams.ts';

export interface Enrolled {
  readonly subjectId: string;
  /** What it may do now, which may differ from what it was enrolled for. */
  readonly roles: readonly Role[];
  /** Position of the enrolment; null when it had happened before. */
  readonly position: string | null;
}

/** Repeating a call changes nothing. Without a caller the engine enrols by itself. */
export interface Enrolment {
  /** Enrols the holder of `apiKey` (see `newApiKey`). */
  enrolApiKey(apiKey: string, roles: readonly Role[], caller?: CommandCaller): Promise<Result<Enrolled>>;
  /** Enrols the holder of an Ed25519 key, lower-case hex. */
  enrolPublicKey(
    publicKey: string,
    roles: readonly Role[],
    caller?: CommandCaller,
  ): Promise<Result<Enrolled>>;
}

const PUBLIC_KEY = /^[0-9a-f]{64}$/;

/** The principal that a credential names: it derives from it, so a repeated enrolment meets the same stream. */
export const subjectIdOf = (kind: CredentialKind, credentialId: string): string =>
  `subject-${ulidFrom(createHash('sha256').update(`aivillage-subject-v1\n${kind}\n${credentialId}`).digest())}`;

/** Makes principals: the event first, then its row. */
export const createEnrolment = ({
  pool,
  store,
  now,
}: {
  pool: Pool;
  store: EventStore;
  now: () => string;
}): Enrolment => {
  const streams = createSubjectStreams({ store, now });

  const enrol = async (
    credential: NewCredential,
    roles: readonly Role[],
    caller?: CommandCaller,
  ): Promise<Result<Enrolled>> => {
    const subjectId = subjectIdOf(credential.kind, credential.credentialId);
    const fingerprint = fingerprintOf(credential.credentialId);
    const outcome = await streams.execute(
      subjectId,
      { type: 'enrol', subjectId, roles, credential: credential.kind, fingerprint },
      // Every call asks anew, for roles change: what was decided at the first one is no answer now.
      caller ?? { actor: 'engine', commandId: `enrol-${randomBytes(16).toString('hex')}` },
    );
    if (!outcome.ok) return outcome;
    await writePrincipalRows(pool, outcome, credential);
    return ok({ subjectId, roles: outcome.subject.roles, position: outcome.position });
  };

  return {
    enrolApiKey: async (apiKey, roles, caller) => {
      const parts = parseApiKey(apiKey);
      if (!parts) return rejectField('api_key', 'of the form aiv_<id>.<secret>');
      const { id: credentialId, secretHash } = parts;
      return enrol({ kind: 'api-key', credentialId, secretHash }, roles, caller);
    },
    enrolPublicKey: async (publicKey, roles, caller) => {
      if (!PUBLIC_KEY.test(publicKey)) return rejectField('public_key', 'an Ed25519 key in lower-case hex');
      return enrol({ kind: 'public-key', credentialId: publicKey, secretHash: null }, roles, caller);
    },
  };
};
