/** gRPC status codes of a server that is away or slow: CANCELLED, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, UNAVAILABLE. */
const TRANSIENT = new Set([1, 4, 8, 14]);

/** True for an error of the Temporal client that a later attempt may not meet. */
export const isTransient = (error: unknown): boolean => {
  for (let current = error; current instanceof Error; current = current.cause) {
    if (TRANSIENT.has(Number((current as { code?: unknown }).code))) return true;
  }
  return false;
};
