import { randomBytes } from 'node:crypto';

const TRACEPARENT = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

export interface Trace {
  readonly traceId: string;
  /** What the caller sent, when it was a valid W3C trace context. */
  readonly traceparent: string | null;
}

/** The caller's trace, or a new one. */
export const traceOf = (header: string | undefined): Trace => {
  const [traceparent, traceId] = TRACEPARENT.exec(header ?? '') ?? [];
  return traceparent && traceId
    ? { traceId, traceparent }
    : { traceId: randomBytes(16).toString('hex'), traceparent: null };
};
