import type { CredentialKind, Role, SubjectEvent } from './events.ts';

export const SUBJECT_VERSION = 1;

export interface SubjectKey {
  readonly credential: CredentialKind;
  readonly fingerprint: string;
  readonly revoked: boolean;
}

/** A principal as its stream tells it. */
export interface Subject {
  readonly subjectId: string;
  readonly roles: readonly Role[];
  /** What it was given first: whoever repeats the enrolment asks for these again. */
  readonly enrolledRoles: readonly Role[];
  /** The one it was enrolled with comes first. */
  readonly keys: readonly SubjectKey[];
}

/** The subject after `event`. @throws Error on a stream that decide would not have written. */
export const evolveSubject = (subject: Subject | null, event: SubjectEvent): Subject => {
  if ((event.type === 'subject.enrolled') !== (subject === null)) {
    throw new Error(`subject ${subject?.subjectId ?? 'nobody'} refuses ${event.type}`);
  }
  const known = subject as Subject;
  switch (event.type) {
    case 'subject.enrolled': {
      const { subjectId, roles, credential, fingerprint } = event;
      return { subjectId, roles, enrolledRoles: roles, keys: [{ credential, fingerprint, revoked: false }] };
    }
    case 'subject.roles-changed':
      return { ...known, roles: event.roles };
    case 'subject.key-added': {
      const { credential, fingerprint } = event;
      return { ...known, keys: [...known.keys, { credential, fingerprint, revoked: false }] };
    }
    case 'subject.key-revoked':
      return {
        ...known,
        keys: known.keys.map((key) =>
          key.fingerprint === event.fingerprint ? { ...key, revoked: true } : key,
        ),
      };
  }
};

export const foldSubject = (events: readonly SubjectEvent[]): Subject | null =>
  events.reduce<Subject | null>(evolveSubject, null);
