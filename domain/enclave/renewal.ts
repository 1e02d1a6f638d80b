import { addMs, msBetween } from '../time.ts';
import type { EnclaveAttested } from './events.ts';

/** Share of its term after which an attestation is renewed: time enough is left to try, and to stop the work if it fails. */
const RENEWAL_SHARE = 7 / 8;

/** When an attestation is to be renewed. */
export const renewalDueAt = ({
  attestedAt,
  expiresAt,
}: Pick<EnclaveAttested, 'attestedAt' | 'expiresAt'>): string =>
  addMs(attestedAt, Math.floor(msBetween(attestedAt, expiresAt) * RENEWAL_SHARE));
