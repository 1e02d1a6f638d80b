import type { Log } from 'snarkjs';

/** A log that keeps what went wrong: snarkjs tells it there and answers with no more than false. */
export const createLog = (): { readonly log: Log; readonly errors: readonly string[] } => {
  const errors: string[] = [];
  const ignore = (): void => undefined;
  return {
    log: { debug: ignore, info: ignore, warn: ignore, error: (message) => errors.push(message) },
    errors,
  };
};
