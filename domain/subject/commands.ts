import type { CredentialKind, Role } from './events.ts';

export interface EnrolSubject {
  readonly type: 'enrol';
  readonly subjectId: string;
  readonly roles: readonly Role[];
  readonly credential: CredentialKind;
  readonly fingerprint: string;
}

export interface ChangeRoles {
  readonly type: 'change-roles';
  readonly roles: readonly Role[];
}

export interface AddKey {
  readonly type: 'add-key';
  readonly credential: CredentialKind;
  readonly fingerprint: string;
}

export interface RevokeKey {
  readonly type: 'revoke-key';
  readonly fingerprint: string;
}

export type SubjectCommand = EnrolSubject | ChangeRoles | AddKey | RevokeKey;
