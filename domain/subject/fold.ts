import type { Role, SubjectEvent } from './events.ts';

export const SUBJECT_VERSION = 1;

/** A principal as its stream tells it. */
export interface Subject {
  readonly subjectId: string;
  readonly roles: readonly Role[];
  readonly credential: 'api-key' | 'public-key';
  readonly fingerprint: string;
}

/** The subject after `event`. @throws when a stream enrols twice: decide never lets that happen. */
export const evolveSubject = (subject: Subject | null, event: SubjectEvent): Subject => {
  if (subject) throw new Error(`subject ${subject.subjectId} refuses ${event.type}`);
  const { subjectId, roles, credential, fingerprint } = event;
  return { subjectId, roles, credential, fingerprint };
};

export const foldSubject = (events: readonly SubjectEvent[]): Subject | null =>
  events.reduce<Subject | null>(evolveSubject, null);
