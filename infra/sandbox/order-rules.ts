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

/** Whether an enclave can be made as ordered; the engine asks it, too, before it holds a refusal against a node. */
export const checkOrder = async ({
  code,
  codeHash,
  config,
}: Omit<EnclaveOrder, 'enclaveId'>): Promise<Result<null>> => {
  const errors = configErrors(config).map(({ field, rule }) => ({ field: `config.${field}`, rule }));
  if (createHash('sha256').update(code).digest('hex') !== codeHash)
    errors.push({ field: 'codeHash', rule: 'the SHA-256 of the module' });
  if (errors.length > 0) return reject('INVALID_REQUEST', 'the enclave cannot be created', errors);
  const inspected = await inspectModule(code);
  if (!inspected.ok) return inspected;
  if (inspected.value.minimumMemoryBytes <= config.memoryMb * BYTES_PER_MB) return ok(null);
  const needed = Math.ceil(inspected.value.minimumMemoryBytes / BYTES_PER_MB);
  return reject('INVALID_REQUEST', 'the module needs more memory than the enclave has', [
    { field: 'config.memoryMb', rule: `at least ${needed}, which the module starts with` },
  ]);
};
