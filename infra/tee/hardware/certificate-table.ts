import { MalformedError } from '../../verify/der.ts';

/** Certificates that a host hands to an SEV-SNP guest beside its report (GHCB specification, extended guest request). */
export type SnpCertificateName = 'vcek' | 'vlek' | 'ask' | 'ark';

/** Keys of the table: UUIDs, their bytes in the order of their text. */
const NAMES: ReadonlyMap<string, SnpCertificateName> = new Map([
  ['63da758de6644564adc5f4b93be8accd', 'vcek'],
  ['a8074bc2a25a483eaae639c045a0b8a1', 'vlek'],
  ['4ab7b379bbac4fe4a02f05aef327c782', 'ask'],
  ['c0b406a4a803495297433fb6014cd0ae', 'ark'],
]);
const KEY_SIZE = 16;
const ENTRY_SIZE = KEY_SIZE + 8;
const MAX_ENTRIES = 32;

/**
 * The known certificates in a table: entries of key, offset and length until one of zeros, then the certificates.
 * An empty table is a host that provides none. @throws MalformedError on offsets outside the table, or no end
 */
export const parseCertificateTable = (table: Uint8Array): ReadonlyMap<SnpCertificateName, Uint8Array> => {
  const found = new Map<SnpCertificateName, Uint8Array>();
  if (table.length === 0) return found;
  const view = new DataView(table.buffer, table.byteOffset, table.byteLength);
  for (let index = 0; index < MAX_ENTRIES; index++) {
    const at = index * ENTRY_SIZE;
    if (at + ENTRY_SIZE > table.length) throw new MalformedError('the certificate table has no end');
    const key = table.subarray(at, at + KEY_SIZE);
    if (key.every((byte) => byte === 0)) return found;
    const start = view.getUint32(at + KEY_SIZE, true);
    const length = view.getUint32(at + KEY_SIZE + 4, true);
    if (start + length > table.length) throw new MalformedError('a certificate lies outside the table');
    const name = NAMES.get(Buffer.from(key).toString('hex'));
    if (name) found.set(name, table.slice(start, start + length));
  }
  throw new MalformedError(`the certificate table has more than ${MAX_ENTRIES} entries`);
};
