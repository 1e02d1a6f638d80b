import { utf8ToBytes } from '@noble/hashes/utils.js';
import type { FieldError } from '../errors.ts';
import { textFault } from '../text.ts';
import { isInstant } from '../time.ts';
import type { EnclaveConfig, WorkOrder } from './events.ts';

/**
 * What may be asked of an enclave. The one definition for both sides: the engine holds an order to it before money moves,
 * a node before it obeys. So a node refuses nothing that the engine took, and where it does, its refusal is judged by
 * these rules (settled 40).
 */

const DAY = 86_400;
/** How long a node may need beyond the time limit to start, fetch and upload, seconds. */
export const RUN_GRACE_SECONDS = 60;

export const ENCLAVE_LIMITS = {
  /** A wasm32 memory ends at 4 GiB. */
  memoryMb: { min: 1, max: 4096 },
  cpuCores: { min: 1, max: 32 },
} as const;

/** Memory of a job's enclaves that does not say how much it needs, MiB. */
export const DEFAULT_MEMORY_MB = 256;

export const WORK_LIMITS = {
  /** Arguments, and bytes of all of them in UTF-8 with the U+0000 that ends each in WASI. */
  arguments: { count: 64, bytes: 16_384 },
  /** Both sides wait with a timer, and the longest one takes 2^31 − 1 ms: 24.8 days, the grace included. */
  seconds: { max: 24 * DAY },
} as const;

type Rule = readonly [holds: boolean, field: string, rule: string];

const broken = (rules: readonly Rule[]): FieldError[] =>
  rules.flatMap(([holds, field, rule]) => (holds ? [] : [{ field, rule }]));

const within = (value: number, { min, max }: { readonly min: number; readonly max: number }): boolean =>
  Number.isInteger(value) && value >= min && value <= max;

/** The rules that a configuration breaks, by its own members' names. */
export const configErrors = ({ memoryMb, cpuCores, allowDebug }: EnclaveConfig): FieldError[] => {
  const { memoryMb: memory, cpuCores: cores } = ENCLAVE_LIMITS;
  return broken([
    [within(memoryMb, memory), 'memoryMb', `an integer from ${memory.min} to ${memory.max}`],
    [within(cpuCores, cores), 'cpuCores', `an integer from ${cores.min} to ${cores.max}`],
    [!allowDebug, 'allowDebug', 'false'],
  ]);
};

/** The rules that the arguments of a module break: each is text, and together they are bounded. */
export const argumentErrors = (args: readonly string[]): FieldError[] => {
  const { count, bytes } = WORK_LIMITS.arguments;
  const size = args.reduce((sum, arg) => sum + utf8ToBytes(arg).length + 1, 0);
  if (args.length > count || size > bytes)
    return [{ field: 'args', rule: `at most ${count} arguments and ${bytes} bytes` }];
  return args.flatMap((arg, index) => {
    const rule = textFault(arg);
    return rule ? [{ field: `args.${index}`, rule }] : [];
  });
};

const isHash = (text: string): boolean => /^[0-9a-f]{64}$/.test(text);

const isFuel = (fuel: number): boolean => Number.isSafeInteger(fuel) && fuel > 0;

/** Fuel for a second of an order from before metering, which names no limit. */
const UNMETERED_FUEL_PER_SECOND = 1_000_000_000;

/** Fuel that a run of `work` may use. */
export const runFuelOf = ({ fuelLimit, timeLimitSeconds }: WorkOrder): number =>
  fuelLimit ?? Math.ceil(timeLimitSeconds * UNMETERED_FUEL_PER_SECOND);

/** The rules that a work order breaks, by its own members' names. */
export const workErrors = (work: WorkOrder): FieldError[] => {
  const { max } = WORK_LIMITS.seconds;
  return [
    ...argumentErrors(work.args),
    ...broken([
      [isHash(work.inputHash), 'inputHash', 'hex of 32 bytes'],
      [isHash(work.randomSeed), 'randomSeed', 'hex of 32 bytes'],
      [isInstant(work.clockStart), 'clockStart', 'an RFC 3339 instant'],
      [
        work.timeLimitSeconds > 0 && work.timeLimitSeconds <= max,
        'timeLimitSeconds',
        `above 0 and at most ${max}`,
      ],
      [isFuel(runFuelOf(work)), 'fuelLimit', `an integer from 1 to ${Number.MAX_SAFE_INTEGER}`],
    ]),
  ];
};
