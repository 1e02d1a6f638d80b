import { createHash } from 'node:crypto';
import type { WorkOrder } from '../../domain/enclave/events.ts';
import type { FieldError } from '../../domain/errors.ts';

/** Longest delay of a timer: 2^31 − 1 ms; a longer one would fire at once. */
const MAX_SECONDS = Math.floor((2 ** 31 - 1) / 1000);

/** The rules that a work order breaks, field by field. */
export const workErrors = (work: WorkOrder, input: Uint8Array): readonly FieldError[] => {
  const checks: readonly (readonly [boolean, string, string])[] = [
    [!work.args.some((arg) => arg.includes('\0')), 'work.args', 'without NUL characters'],
    [/^[0-9a-f]{64}$/.test(work.randomSeed), 'work.randomSeed', 'hex of 32 bytes'],
    [!Number.isNaN(Date.parse(work.clockStart)), 'work.clockStart', 'an RFC 3339 instant'],
    [
      work.timeLimitSeconds > 0 && work.timeLimitSeconds <= MAX_SECONDS,
      'work.timeLimitSeconds',
      `above 0 and at most ${MAX_SECONDS}`,
    ],
    [
      createHash('sha256').update(input).digest('hex') === work.inputHash,
      'work.inputHash',
      'the SHA-256 of the input that came with it',
    ],
  ];
  return checks.flatMap(([holds, field, rule]) => (holds ? [] : [{ field, rule }]));
};
