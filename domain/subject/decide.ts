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

const sameRoles = (a: readonly Role[], b: readonly Role[]): boolean => a.join() === b.join();

/**
 * Enrols a principal once. Asking again for the same thing changes nothing; for other roles or another credential it is
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
    const same = sameRoles(subject.roles, roles) && subject.fingerprint === command.fingerprint;
    return same ? accept() : reject('CONFLICT', `${command.subjectId} is already enrolled otherwise`);
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
