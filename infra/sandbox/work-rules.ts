import { createHash } from 'node:crypto';
import type { WorkOrder } from '../../domain/enclave/events.ts';
import { workErrors as errorsOf } from '../../domain/enclave/limits.ts';
import type { FieldError } from '../../domain/errors.ts';

/** The rules that a work order breaks, field by field, the input that came with it included. */
export const workErrors = (work: WorkOrder, input: Uint8Array): readonly FieldError[] => {
  const errors = errorsOf(work).map(({ field, rule }) => ({ field: `work.${field}`, rule }));
  const isInput = createHash('sha256').update(input).digest('hex') === work.inputHash;
  const rule = 'the SHA-256 of the input that came with it';
  return isInput ? errors : [...errors, { field: 'work.inputHash', rule }];
};
