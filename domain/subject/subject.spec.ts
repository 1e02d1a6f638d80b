import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EnrolSubject, SubjectCommand } from './commands.ts';
import { decideSubject } from './decide.ts';
import { ROLES, type Role, type SubjectEvent } from './events.ts';
import { evolveSubject, foldSubject, type Subject } from './fold.ts';
import { subjectEventSchema } from './schema.ts';

const at = { now: '2026-01-01T00:00:00.000Z', actor: 'subject-admin' };
const enrol = (change: Partial<EnrolSubject> = {}): EnrolSubject => ({
  type: 'enrol',
  subjectId: 'subject-1',
  roles: ['submitter'],
  credential: 'api-key',
  fingerprint: 'ab',
  ...change,
});
const anyRoles = fc.shuffledSubarray(
  ROLES.filter((role): role is Exclude<Role, 'engine'> => role !== 'engine'),
  { minLength: 1 },
);

describe('a subject', () => {
  it('is enrolled once; the same request again changes nothing', () => {
    fc.assert(
      fc.property(anyRoles, (roles) => {
        const first = decideSubject(null, enrol({ roles }), at);
        if (!first.ok) throw new Error(first.message);
        const subject = foldSubject(first.events);
        expect(new Set(subject?.roles)).toEqual(new Set(roles));
        const again = decideSubject(subject, enrol({ roles: roles.toReversed() }), at);
        expect(again).toEqual({ ok: true, events: [] });
        // A node that joins asks for `provider`, whatever else its owner may do.
        expect(decideSubject(subject, enrol({ roles: roles.slice(0, 1) }), at)).toEqual(again);
      }),
    );
  });

  it.each([
    [{ roles: ['admin'] as Role[] }, 'CONFLICT'],
    [{ fingerprint: 'cd' }, 'CONFLICT'],
    [{ roles: [] }, 'INVALID_REQUEST'],
    [{ roles: ['submitter', 'engine'] as Role[] }, 'AUTHORIZATION_FAILED'],
  ])('refuses %j with %s', (change, code) => {
    const first = decideSubject(null, enrol(), at);
    if (!first.ok) throw new Error(first.message);
    expect(decideSubject(foldSubject(first.events), enrol(change), at)).toMatchObject({ ok: false, code });
  });

  it('has a stream that no second enrolment fits into', () => {
    const first = decideSubject(null, enrol(), at);
    const [event] = first.ok ? first.events : [];
    if (!event) throw new Error('refused');
    expect(() => evolveSubject(evolveSubject(null, event), event)).toThrow('refuses');
  });
});

/** The subject that `commands` lead to, from nothing. */
const after = (...commands: readonly SubjectCommand[]): Subject =>
  commands.reduce<Subject | null>((subject, command) => {
    const decision = decideSubject(subject, command, at);
    if (!decision.ok) throw new Error(decision.message);
    return decision.events.reduce<Subject | null>(evolveSubject, subject);
  }, null) as Subject;

const roles = (...granted: Role[]): SubjectCommand => ({ type: 'change-roles', roles: granted });
const add = (fingerprint: string): SubjectCommand => ({
  type: 'add-key',
  credential: 'api-key',
  fingerprint,
});
const revoke = (fingerprint: string): SubjectCommand => ({ type: 'revoke-key', fingerprint });

describe('a subject that is administered', () => {
  it('has the roles it was given last, and the keys that were not revoked', () => {
    const subject = after(enrol(), roles('operator', 'auditor'), add('cd'), revoke('ab'));
    expect(subject.roles).toEqual(['operator', 'auditor']);
    expect(subject.keys.map(({ fingerprint, revoked }) => [fingerprint, revoked])).toEqual([
      ['ab', true],
      ['cd', false],
    ]);
  });

  it('is what its events say, in any order of commands, and each event fits its schema', () => {
    const anyCommand = fc.oneof(
      anyRoles.map((granted) => roles(...granted)),
      fc.constantFrom('ab', 'cd', 'ef').map(add),
      fc.constantFrom('ab', 'cd', 'ef').map(revoke),
    );
    fc.assert(
      fc.property(fc.array(anyCommand), fc.constantFrom('subject-1', 'subject-admin'), (commands, actor) => {
        let subject = after(enrol({ roles: ['admin'] }));
        for (const command of commands) {
          const decision = decideSubject(subject, command, { ...at, actor });
          if (!decision.ok) continue;
          for (const event of decision.events) subjectEventSchema.parse(event);
          subject = decision.events.reduce<Subject | null>(evolveSubject, subject) as Subject;
          expect(decideSubject(subject, command, at)).toMatchObject(
            command.type === 'add-key' ? { code: 'CONFLICT' } : { ok: true, events: [] },
          );
        }
        const lockedOut = subject.keys.every((key) => key.revoked) || !subject.roles.includes('admin');
        expect(actor === 'subject-1' && lockedOut).toBe(false);
      }),
    );
  });

  it('may be enrolled again with what it was first given, whatever became of it since', () => {
    const subject = after(enrol({ roles: ['submitter', 'auditor'] }), roles('provider'), revoke('ab'));
    const again = decideSubject(subject, enrol({ roles: ['auditor', 'submitter'] }), at);
    expect(again).toEqual({ ok: true, events: [] });
    expect(decideSubject(subject, enrol({ roles: ['submitter', 'provider'] }), at)).toMatchObject({
      code: 'CONFLICT',
    });
  });

  it.each<[SubjectCommand, string, string]>([
    [roles(), 'INVALID_REQUEST', 'subject-admin'],
    [roles('submitter', 'engine'), 'AUTHORIZATION_FAILED', 'subject-admin'],
    [roles('operator'), 'CONFLICT', 'subject-1'],
    [add('ab'), 'CONFLICT', 'subject-admin'],
    [revoke('ab'), 'CONFLICT', 'subject-1'],
    [revoke('cd'), 'RESOURCE_NOT_FOUND', 'subject-admin'],
  ])('refuses %j with %s from %s', (command, code, actor) => {
    const subject = after(enrol({ roles: ['admin'] }));
    expect(decideSubject(subject, command, { ...at, actor })).toMatchObject({ ok: false, code });
    expect(decideSubject(null, revoke('ab'), at)).toMatchObject({ ok: false, code: 'RESOURCE_NOT_FOUND' });
  });

  it('has a stream that begins with its enrolment', () => {
    const event: SubjectEvent = { type: 'subject.key-revoked', fingerprint: 'ab', revokedAt: at.now };
    expect(() => evolveSubject(null, event)).toThrow('nobody refuses subject.key-revoked');
  });
});
