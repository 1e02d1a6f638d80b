import { accept, type Decision, type DecisionContext } from '../decision.ts';
import { ok, type Result, reject } from '../errors.ts';
import type { AddKey, ChangeRoles, EnrolSubject, RevokeKey, SubjectCommand } from './commands.ts';
import { ROLES, type Role, type SubjectEvent } from './events.ts';
import { SUBJECT_VERSION, type Subject } from './fold.ts';

/** Roles in the order of the catalogue, each once: the same grant always reads the same. */
export const normalRoles = (roles: readonly Role[]): Role[] => ROLES.filter((role) => roles.includes(role));

/** `engine` is the identity of our own services and never a person's. */
const grantable = (asked: readonly Role[]): Result<Role[]> => {
  const roles = normalRoles(asked);
  if (roles.length === 0) {
    return reject('INVALID_REQUEST', 'a principal needs a role', [
      { field: 'roles', rule: 'at least one role' },
    ]);
  }
  return roles.includes('engine')
    ? reject('AUTHORIZATION_FAILED', 'the role engine is never issued', [
        { field: 'roles', rule: 'without engine' },
      ])
    : ok(roles);
};

/** Enrols once. Asking again for what it has, or was first given, changes nothing; anything else is a conflict. */
const enrol = (subject: Subject | null, command: EnrolSubject, now: string): Decision<SubjectEvent> => {
  const { subjectId, credential, fingerprint } = command;
  const granted = grantable(command.roles);
  if (!granted.ok) return granted;
  const roles = granted.value;
  if (subject) {
    const isRepeated = [subject.roles, subject.enrolledRoles].some((known) =>
      roles.every((role) => known.includes(role)),
    );
    return isRepeated && subject.keys[0]?.fingerprint === fingerprint
      ? accept()
      : reject('CONFLICT', `${subjectId} is already enrolled otherwise`);
  }
  return accept({
    type: 'subject.enrolled',
    machineVersion: SUBJECT_VERSION,
    subjectId,
    roles,
    credential,
    fingerprint,
    enrolledAt: now,
  });
};

/** An admin keeps its own office, so that there is always one left to give it. */
const changeRoles = (
  subject: Subject,
  command: ChangeRoles,
  { now, actor }: DecisionContext,
): Decision<SubjectEvent> => {
  const granted = grantable(command.roles);
  if (!granted.ok) return granted;
  const roles = granted.value;
  if (actor === subject.subjectId && subject.roles.includes('admin') && !roles.includes('admin')) {
    return reject('CONFLICT', 'nobody gives up the role admin for itself', [
      { field: 'roles', rule: 'with admin, for your own principal' },
    ]);
  }
  return roles.join() === normalRoles(subject.roles).join()
    ? accept()
    : accept({ type: 'subject.roles-changed', roles, changedAt: now });
};

const addKey = (
  subject: Subject,
  { credential, fingerprint }: AddKey,
  now: string,
): Decision<SubjectEvent> =>
  subject.keys.some((key) => key.fingerprint === fingerprint)
    ? reject('CONFLICT', `${subject.subjectId} has this key already`)
    : accept({ type: 'subject.key-added', credential, fingerprint, addedAt: now });

/** Revoking twice is revoking once. Nobody locks itself out. */
const revokeKey = (
  subject: Subject,
  { fingerprint }: RevokeKey,
  { now, actor }: DecisionContext,
): Decision<SubjectEvent> => {
  const key = subject.keys.find((each) => each.fingerprint === fingerprint);
  if (!key) {
    return reject('RESOURCE_NOT_FOUND', `${subject.subjectId} has no such key`, [
      { field: 'key_id', rule: `a key of ${subject.subjectId}` },
    ]);
  }
  if (key.revoked) return accept();
  if (actor === subject.subjectId && subject.keys.every((each) => each === key || each.revoked)) {
    return reject('CONFLICT', 'nobody revokes its own last key', [
      { field: 'key_id', rule: 'not your last key' },
    ]);
  }
  return accept({ type: 'subject.key-revoked', fingerprint, revokedAt: now });
};

/** What a command does to a principal, or why not. */
export const decideSubject = (
  subject: Subject | null,
  command: SubjectCommand,
  context: DecisionContext,
): Decision<SubjectEvent> => {
  if (command.type === 'enrol') return enrol(subject, command, context.now);
  if (!subject) return reject('RESOURCE_NOT_FOUND', 'nobody of this id is enrolled');
  switch (command.type) {
    case 'change-roles':
      return changeRoles(subject, command, context);
    case 'add-key':
      return addKey(subject, command, context.now);
    case 'revoke-key':
      return revokeKey(subject, command, context);
  }
};
