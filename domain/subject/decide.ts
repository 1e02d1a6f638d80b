import { accept, type Decision, type DecisionContext } from '../decision.ts';
import { reject } from '../errors.ts';
import { ROLES, type Role, type SubjectEnrolled, type SubjectEvent } from './events.ts';
import { SUBJECT_VERSION, type Subject } from './fold.ts';

export interface EnrolSubject {
  readonly type: 'enrol';
  readonly subjectId: string;
  readonly roles: readonly Role[];
  readonly credential: SubjectEnrolled['credential'];
  readonly fingerprint: string;
}

/** Roles in the order of the catalogue, each once: the same grant always reads the same. */
export const normalRoles = (roles: readonly Role[]): Role[] => ROLES.filter((role) => roles.includes(role));

/**
 * Enrols a principal once. Asking again for what it has changes nothing; for further roles or another credential it is
 * a conflict. `engine` is the identity of our own services and never a person's.
 */
export const decideSubject = (
  subject: Subject | null,
  command: EnrolSubject,
  context: Pick<DecisionContext, 'now'>,
): Decision<SubjectEvent> => {
  const roles = normalRoles(command.roles);
  if (roles.length === 0) {
    return reject('INVALID_REQUEST', 'a principal needs a role', [
      { field: 'roles', rule: 'at least one role' },
    ]);
  }
  if (roles.includes('engine')) {
    return reject('AUTHORIZATION_FAILED', 'the role engine is never issued');
  }
  if (subject) {
    const granted = roles.every((role) => subject.roles.includes(role));
    return granted && subject.fingerprint === command.fingerprint
      ? accept()
      : reject('CONFLICT', `${command.subjectId} is already enrolled otherwise`);
  }
  return accept({
    type: 'subject.enrolled',
    machineVersion: SUBJECT_VERSION,
    subjectId: command.subjectId,
    roles,
    credential: command.credential,
    fingerprint: command.fingerprint,
    enrolledAt: context.now,
  });
};
