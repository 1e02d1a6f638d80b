import type { ErrorCode, FieldError } from '../errors.ts';
import type { EnclaveFault, FaultCause } from './events.ts';

/** A node's refusal, and what the engine finds when it looks at its own order. */
export interface RefusedOrder {
  readonly code: ErrorCode;
  /** Fields that the node names. */
  readonly errors: readonly FieldError[];
  /** Whether the enclave was created before: then the node has shown that it can. */
  readonly launched: boolean;
  /** Rules of its own that the order breaks (`domain/enclave/limits.ts`, the module's form). */
  readonly order: readonly FieldError[];
  /** Whether the engine can hand out module and input. */
  readonly artefacts: boolean;
}

export interface Blame {
  readonly fault: EnclaveFault;
  readonly cause: FaultCause;
}

/** Where a node says that it could not get an artefact from the engine. */
export const ARTEFACT_FIELDS: readonly string[] = ['codeHash', 'work.inputHash'];

const MODULE = 'module';

/** By these a node says in time that it cannot, and does not say that the order is wrong. */
const DECLARATIONS: readonly ErrorCode[] = ['RESOURCE_UNAVAILABLE', 'TEE_UNAVAILABLE'];

/** Engine and node remember different things of this id, or what the node had is gone. Neither shows ill will. */
const LOSSES: readonly ErrorCode[] = ['RESOURCE_NOT_FOUND', 'RESOURCE_UNAVAILABLE', 'CONFLICT'];

/**
 * Whose fault a refusal is (settled 40: cause before blame). What is wrong with the order or its artefacts is nobody's
 * evidence, whatever the node says of it. A node that has launched the enclave and lost it has crashed: saying so must
 * not cost more than falling silent would. One that says before the launch that it cannot has declared it (settled 39).
 * Only what remains is a refusal against the published rules: the bid promised room and a start.
 */
export const blameFor = ({ code, errors, launched, order, artefacts }: RefusedOrder): Blame => {
  const [broken] = order;
  if (broken) return { fault: 'stopped', cause: broken.field === MODULE ? 'module' : 'submitter' };
  if (!artefacts) return { fault: 'stopped', cause: 'engine' };
  const couldNotFetch =
    code !== 'INVALID_REQUEST' && errors.some(({ field }) => ARTEFACT_FIELDS.includes(field));
  const lost = LOSSES.includes(code) && (launched || couldNotFetch || code === 'CONFLICT');
  if (lost) return { fault: 'lost', cause: 'node' };
  const declared = !launched && DECLARATIONS.includes(code);
  return { fault: declared ? 'declared' : 'refusal', cause: 'node' };
};
