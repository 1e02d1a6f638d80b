import { type Rejection, reject } from '../../domain/errors.ts';
import type { CommandOutcome } from '../../domain/ports/lifecycles.ts';
import type { Places } from '../../infra/quota/places.ts';

interface Claim {
  readonly principal: string;
  readonly stream: string;
  /** The field of the refusal, and what it is that there may only be so many of. */
  readonly field: string;
  readonly what: string;
}

/** Does `open` in a place of the principal's, which a refusal gives back; refuses where all of them are taken. */
export const inPlace = async (
  places: Places,
  { principal, stream, field, what }: Claim,
  open: () => Promise<CommandOutcome>,
): Promise<CommandOutcome | Rejection> => {
  if (!(await places.claim(principal, stream))) {
    const rule = `at most ${places.limit} ${what} at once`;
    return reject('CONFLICT', rule, [{ field, rule }]);
  }
  const outcome = await open();
  if (!outcome.ok && outcome.code !== 'RESOURCE_UNAVAILABLE') await places.release(principal, stream);
  return outcome;
};
