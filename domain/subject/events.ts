export const ROLES = ['provider', 'submitter', 'operator', 'auditor', 'admin', 'engine'] as const;
export type Role = (typeof ROLES)[number];

/** How a principal proves itself. */
export type CredentialKind = 'api-key' | 'public-key';

/** A principal may use the system. Credentials themselves live in a table, as hashes. */
export interface SubjectEnrolled {
  readonly type: 'subject.enrolled';
  readonly machineVersion: number;
  readonly subjectId: string;
  readonly roles: readonly Role[];
  readonly credential: CredentialKind;
  /** Fingerprint of the credential, never the credential. */
  readonly fingerprint: string;
  readonly enrolledAt: string;
}

/** From now on it has these roles and no others. */
export interface SubjectRolesChanged {
  readonly type: 'subject.roles-changed';
  readonly roles: readonly Role[];
  readonly changedAt: string;
}

export interface SubjectKeyAdded {
  readonly type: 'subject.key-added';
  readonly credential: CredentialKind;
  readonly fingerprint: string;
  readonly addedAt: string;
}

/** The key proves nothing any more, and never will again. */
export interface SubjectKeyRevoked {
  readonly type: 'subject.key-revoked';
  readonly fingerprint: string;
  readonly revokedAt: string;
}

export type SubjectEvent = SubjectEnrolled | SubjectRolesChanged | SubjectKeyAdded | SubjectKeyRevoked;
