import { createHash } from 'node:crypto';
import type { EnclaveConfig } from '../../domain/enclave/events.ts';
import { configErrors } from '../../domain/enclave/limits.ts';
import { ok, type Result, reject } from '../../domain/errors.ts';
import { inspectModule } from './inspect-module.ts';
import { BYTES_PER_MB } from './protocol.ts';

export interface EnclaveOrder {
  readonly enclaveId: string;
  readonly code: Uint8Array;
  /** Hex SHA-256 that `code` must have. */
  readonly codeHash: string;
  readonly config: EnclaveConfig;
}

/** What of an order can be told without looking into the module. */
export const checkFacts = ({ code, codeHash, config }: Omit<EnclaveOrder, 'enclaveId'>): Result<null> => {
  const errors = configErrors(config).map(({ field, rule }) => ({ field: `config.${field}`, rule }));
  if (createHash('sha256').update(code).digest('hex') !== codeHash)
    errors.push({ field: 'codeHash', rule: 'the SHA-256 of the module' });
  return errors.length > 0 ? reject('INVALID_REQUEST', 'the enclave cannot be created', errors) : ok(null);
};

/** Whether a module that starts with so much memory fits into the enclave. */
export const memoryRule = (minimumMemoryBytes: number, { memoryMb }: EnclaveConfig): Result<null> => {
  if (minimumMemoryBytes <= memoryMb * BYTES_PER_MB) return ok(null);
  const needed = Math.ceil(minimumMemoryBytes / BYTES_PER_MB);
  return reject('INVALID_REQUEST', 'the module needs more memory than the enclave has', [
    { field: 'config.memoryMb', rule: `at least ${needed}, which the module starts with` },
  ]);
};

/** Whether an enclave can be made as ordered: what the engine asks before it holds a refusal against a node. */
export const checkOrder = async (order: Omit<EnclaveOrder, 'enclaveId'>): Promise<Result<null>> => {
  const facts = checkFacts(order);
  if (!facts.ok) return facts;
  const inspected = await inspectModule(order.code);
  return inspected.ok ? memoryRule(inspected.value.minimumMemoryBytes, order.config) : inspected;
};
