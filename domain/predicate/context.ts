import { type FieldError, type Rejection, reject } from '../errors.ts';
import { canonicalJson } from '../json.ts';
import { epochMs } from '../time.ts';
import { fieldOf } from './field.ts';

/**
 * What a proof is made for. Its hash is a public input that the circuit constrains, so a proof made for one context
 * proves nothing in another.
 */
export interface PredicateContext {
  /** Who asked, e.g. the id of a principal. */
  readonly verifier: string;
  /** Hex of 16 to 64 random bytes that the verifier chose. */
  readonly nonce: string;
  readonly circuitId: string;
  /** Hash of the verification key. */
  readonly keyHash: string;
  /** What the proof may be used for once: a holder has one nullifier in each scope. */
  readonly scope: string;
  /** The `now` against which credentials are judged, to the second. */
  readonly issuedAt: string;
  readonly expiresAt: string;
}

/** Longest life of a context: how stale the verifier's `now` may be when a proof is accepted. */
export const CONTEXT_LIFETIME_SECONDS = 3_600;
/** Clocks of verifier and engine may differ by this much. */
const SKEW_SECONDS = 60;

export const contextField = (context: PredicateContext): bigint => fieldOf('context', canonicalJson(context));

/** Whole seconds since 1970: time as a circuit counts it. @throws RangeError when `at` is not an instant. */
export const epochSeconds = (at: string): bigint => BigInt(Math.floor(epochMs(at) / 1000));

const HASH = /^[0-9a-f]{64}$/;

const isShort = (text: string): boolean => text.length >= 1 && text.length <= 200 && text.isWellFormed();

const isInstant = (text: string): boolean =>
  /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/.test(text) && !Number.isNaN(millisecondsOf(text));

/** NaN for a text of the right form that is no day or hour. */
const millisecondsOf = (text: string): number => {
  try {
    return epochMs(text);
  } catch {
    return Number.NaN;
  }
};

/** Refuses a context without form: what does not concern its time. */
export const checkContext = (context: PredicateContext): Rejection | null => {
  const errors: FieldError[] = [];
  const need = (name: keyof PredicateContext, holds: boolean, rule: string): void => {
    if (!holds) errors.push({ field: `context.${name}`, rule });
  };
  need('verifier', isShort(context.verifier), '1 to 200 characters');
  need('nonce', /^([0-9a-f]{2}){16,64}$/.test(context.nonce), '16 to 64 bytes in lower-case hex');
  need('circuitId', HASH.test(context.circuitId), 'a SHA-256 in lower-case hex');
  need('keyHash', HASH.test(context.keyHash), 'a SHA-256 in lower-case hex');
  need('scope', isShort(context.scope), '1 to 200 characters');
  need('issuedAt', isInstant(context.issuedAt), 'an RFC 3339 instant with Z');
  need('expiresAt', isInstant(context.expiresAt), 'an RFC 3339 instant with Z');
  return errors.length > 0 ? reject('INVALID_REQUEST', 'the context is not usable', errors) : null;
};

export type ContextTime = 'OK' | 'NOT_YET' | 'EXPIRED' | 'TOO_LONG';

/** Whether a context of good form may be used at `nowMs`. */
export const contextTime = ({ issuedAt, expiresAt }: PredicateContext, nowMs: number): ContextTime => {
  const [issued, expires] = [epochMs(issuedAt), epochMs(expiresAt)];
  if (expires <= issued || expires - issued > CONTEXT_LIFETIME_SECONDS * 1000) return 'TOO_LONG';
  if (issued > nowMs + SKEW_SECONDS * 1000) return 'NOT_YET';
  return nowMs < expires ? 'OK' : 'EXPIRED';
};
