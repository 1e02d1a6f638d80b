export const ROLES = ['provider', 'submitter', 'operator', 'auditor', 'admin', 'engine'] as const;
export type Role = (typeof ROLES)[number];

/** A principal may use the system. Credentials themselves live in a table, as hashes. */
export interface SubjectEnrolled {
  readonly type: 'subject.enrolled';
  readonly machineVersion: number;
  readonly subjectId: string;
  readonly roles: readonly Role[];
  /** How it proves itself. */
  readonly credential: 'api-key' | 'public-key';
  /** Fingerprint of the credential, never the credential. */
  readonly fingerprint: string;
  readonly enrolledAt: string;
}

export type SubjectEvent = SubjectEnrolled;
