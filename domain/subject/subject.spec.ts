import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decideSubject, type EnrolSubject } from './decide.ts';
import { ROLES, type Role } from './events.ts';
import { evolveSubject, foldSubject } from './fold.ts';

const at = { now: '2026-01-01T00:00:00.000Z' };
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
