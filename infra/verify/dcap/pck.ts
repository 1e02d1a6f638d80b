import {
  type DerReader,
  derReader,
  derSingle,
  derSmallInteger,
  MalformedError,
  oidText,
  TAG,
} from '../der.ts';
import type { Certificate } from '../x509/certificate.ts';

/** Arc of Intel's SGX extensions (SGX PCK Certificate and CRL Profile Specification). */
export const SGX_EXTENSIONS = '1.2.840.113741.1.13.1';
const TCB = `${SGX_EXTENSIONS}.2`;
const PCE_SVN = `${TCB}.17`;
const PCE_ID = `${SGX_EXTENSIONS}.3`;
const FMSPC = `${SGX_EXTENSIONS}.4`;
const COMPONENTS = 16;

/** What a PCK certificate says of the platform that its key was derived for. */
export interface PckFacts {
  /** Security versions of the 16 components, 0 to 255 each. */
  readonly components: readonly number[];
  readonly pceSvn: number;
  /** 2 bytes. */
  readonly pceId: Uint8Array;
  /** 6 bytes: family, model, stepping, platform type and custom SKU. */
  readonly fmspc: Uint8Array;
}

/** Raw values of a SEQUENCE of (OID, value) pairs. */
const pairs = (body: Uint8Array): Map<string, Uint8Array> => {
  const found = new Map<string, Uint8Array>();
  const list = derReader(body);
  while (list.peek() !== null) {
    const pair: DerReader = derReader(list.next(TAG.sequence).body);
    const oid = oidText(pair.next(TAG.oid).body);
    if (found.has(oid)) throw new MalformedError(`${oid} appears twice`);
    found.set(oid, pair.next().raw);
    pair.end();
  }
  return found;
};

const required = (from: ReadonlyMap<string, Uint8Array>, oid: string): Uint8Array => {
  const value = from.get(oid);
  if (!value) throw new MalformedError(`the PCK certificate lacks ${oid}`);
  return value;
};

const fixed = (value: Uint8Array, size: number): Uint8Array => {
  const { body } = derSingle(value, TAG.octetString);
  if (body.length !== size) throw new MalformedError(`expected ${size} bytes`);
  return body;
};

/** @throws MalformedError when the certificate is no PCK certificate. */
export const pckFactsOf = ({ extensions }: Pick<Certificate, 'extensions'>): PckFacts => {
  const facts = pairs(derSingle(required(extensions, SGX_EXTENSIONS), TAG.sequence).body);
  const tcb = pairs(derSingle(required(facts, TCB), TAG.sequence).body);
  return {
    components: Array.from({ length: COMPONENTS }, (_, index) =>
      derSmallInteger(required(tcb, `${TCB}.${index + 1}`)),
    ),
    pceSvn: derSmallInteger(required(tcb, PCE_SVN)),
    pceId: fixed(required(facts, PCE_ID), 2),
    fmspc: fixed(required(facts, FMSPC), 6),
  };
};
