import { fromHex } from '../bytes.ts';
import { MalformedError } from '../der.ts';
import type { Certificate } from '../x509/certificate.ts';
import { parseRevocationList, type RevocationList } from '../x509/crl.ts';
import { parsePemChain } from './pem-chain.ts';

/** Collateral of a quote as Intel's PCS and its caches publish it. Byte members: hex, or an array of octets. */
export interface DcapCollateral {
  readonly root_ca_crl: string | readonly number[];
  readonly pck_crl: string | readonly number[];
  readonly tcb_info_issuer_chain: string;
  readonly tcb_info: string;
  readonly tcb_info_signature: string | readonly number[];
  readonly qe_identity_issuer_chain: string;
  readonly qe_identity: string;
  readonly qe_identity_signature: string | readonly number[];
}

/** A JSON document of Intel's, the signature over its exact text, and the signer's chain: leaf, root. */
export interface SignedDocument {
  readonly text: string;
  /** r ‖ s, 64 bytes. */
  readonly signature: Uint8Array;
  readonly chain: readonly [leaf: Certificate, root: Certificate];
}

export interface ParsedCollateral {
  readonly rootCrl: RevocationList;
  readonly pckCrl: RevocationList;
  readonly tcbInfo: SignedDocument;
  readonly qeIdentity: SignedDocument;
}

const LONGEST_TEXT = 1 << 18;
const LONGEST_BYTES = 1 << 20;

const textOf = (members: Record<string, unknown>, name: string): string => {
  const value = members[name];
  if (typeof value !== 'string' || value.length > LONGEST_TEXT)
    throw new MalformedError(`${name} is no text`);
  return value;
};

const isOctets = (value: unknown): value is readonly number[] =>
  Array.isArray(value) &&
  value.length <= LONGEST_BYTES &&
  value.every((each) => Number.isInteger(each) && each >= 0 && each <= 255);

const bytesOf = (members: Record<string, unknown>, name: string): Uint8Array => {
  const value = members[name];
  if (typeof value === 'string') return fromHex(value, LONGEST_BYTES);
  if (!isOctets(value)) throw new MalformedError(`${name} is neither hex nor octets`);
  return Uint8Array.from(value);
};

const documentOf = (members: Record<string, unknown>, name: string): SignedDocument => {
  const signature = bytesOf(members, `${name}_signature`);
  if (signature.length !== 64) throw new MalformedError(`${name}_signature is no P-256 signature`);
  const chain = parsePemChain(new TextEncoder().encode(textOf(members, `${name}_issuer_chain`)), 2);
  return { text: textOf(members, name), signature, chain: chain as [Certificate, Certificate] };
};

/** @throws MalformedError when a member is missing or not what it should be. */
export const parseDcapCollateral = (collateral: unknown): ParsedCollateral => {
  if (typeof collateral !== 'object' || collateral === null) throw new MalformedError('no collateral');
  const members = collateral as Record<string, unknown>;
  return {
    rootCrl: parseRevocationList(bytesOf(members, 'root_ca_crl')),
    pckCrl: parseRevocationList(bytesOf(members, 'pck_crl')),
    tcbInfo: documentOf(members, 'tcb_info'),
    qeIdentity: documentOf(members, 'qe_identity'),
  };
};
