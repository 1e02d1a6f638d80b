import { createHash } from 'node:crypto';
import type { Pool } from 'pg';
import { ok, type Result, reject } from '../../domain/errors.ts';
import { domainEventOf, newEvent } from '../../domain/event.ts';
import { ulidFrom } from '../../domain/ids.ts';
import { type EventStore, NO_STREAM } from '../../domain/ports/event-store.ts';
import { decideSubject } from '../../domain/subject/decide.ts';
import type { Role, SubjectEnrolled, SubjectEvent } from '../../domain/subject/events.ts';
import { foldSubject } from '../../domain/subject/fold.ts';
import { parseApiKey } from './api-key.ts';

export interface Enrolment {
  /** Enrols the holder of `apiKey` (see `newApiKey`). Repeating the call changes nothing. */
  enrolApiKey(apiKey: string, roles: readonly Role[]): Promise<Result<{ readonly subjectId: string }>>;
  /** Enrols the holder of an Ed25519 key, lower-case hex. Repeating the call changes nothing. */
  enrolPublicKey(publicKey: string, roles: readonly Role[]): Promise<Result<{ readonly subjectId: string }>>;
}

interface Candidate {
  readonly credential: SubjectEnrolled['credential'];
  readonly credentialId: string;
  readonly secretHash: Buffer | null;
}

const PUBLIC_KEY = /^[0-9a-f]{64}$/;

/** The principal that a credential names: it derives from it, so a repeated enrolment meets the same stream. */
export const subjectIdOf = (credential: SubjectEnrolled['credential'], credentialId: string): string =>
  `subject-${ulidFrom(createHash('sha256').update(`aivillage-subject-v1\n${credential}\n${credentialId}`).digest())}`;

const invalid = (field: string, rule: string) =>
  reject('INVALID_REQUEST', `${field}: ${rule}`, [{ field, rule }]);

/**
 * Makes principals: the event first, then its row. A crash in between is repaired by the next try, which finds the
 * event and only writes the row.
 */
export const createEnrolment = ({
  pool,
  store,
  now,
}: {
  pool: Pool;
  store: EventStore;
  now: () => string;
}): Enrolment => {
  const record = async (
    subjectId: string,
    candidate: Candidate,
    roles: readonly Role[],
  ): Promise<Result<Role[]>> => {
    const fingerprint = createHash('sha256').update(candidate.credentialId).digest('hex');
    for (;;) {
      const past = await store.readStream(subjectId);
      const subject = foldSubject(past.map((event) => domainEventOf<SubjectEvent>(event)));
      const at = now();
      const decision = decideSubject(
        subject,
        { type: 'enrol', subjectId, roles, credential: candidate.credential, fingerprint },
        { now: at },
      );
      if (!decision.ok) return decision;
      if (decision.events.length === 0) return ok([...(subject?.roles ?? [])]);
      const context = {
        occurredAt: at,
        actor: 'engine',
        correlationId: subjectId,
        causationId: `enrol-${fingerprint}`,
        traceparent: null,
      };
      const appended = await store.append({
        stream: subjectId,
        expectedRevision: NO_STREAM,
        events: decision.events.map((event) => newEvent(event, context)),
      });
      if (appended.ok) return ok(decision.events.flatMap((event) => [...event.roles]));
      // Somebody enrolled the same credential meanwhile: decide again on what stands there now.
    }
  };

  const enrol = async (
    candidate: Candidate,
    roles: readonly Role[],
  ): Promise<Result<{ subjectId: string }>> => {
    const subjectId = subjectIdOf(candidate.credential, candidate.credentialId);
    const recorded = await record(subjectId, candidate, roles);
    if (!recorded.ok) return recorded;
    await pool.query(
      `with principal as (
         insert into engine.principals (principal_id, roles) values ($1, $2) on conflict do nothing
       )
       insert into engine.credentials (credential_id, principal_id, kind, secret_hash) values ($3, $1, $4, $5)
       on conflict do nothing`,
      [subjectId, recorded.value, candidate.credentialId, candidate.credential, candidate.secretHash],
    );
    return ok({ subjectId });
  };

  return {
    enrolApiKey: async (apiKey, roles) => {
      const parts = parseApiKey(apiKey);
      if (!parts) return invalid('api_key', 'of the form aiv_<id>.<secret>');
      return enrol({ credential: 'api-key', credentialId: parts.id, secretHash: parts.secretHash }, roles);
    },
    enrolPublicKey: async (publicKey, roles) => {
      if (!PUBLIC_KEY.test(publicKey)) return invalid('public_key', 'an Ed25519 key in lower-case hex');
      return enrol({ credential: 'public-key', credentialId: publicKey, secretHash: null }, roles);
    },
  };
};
