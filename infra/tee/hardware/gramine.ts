import { join } from 'node:path';
import type { DeviceFiles } from './files.ts';
import { REPORT_DATA_SIZE } from './tsm.ts';

const MAX_NAME = 64;
const MAX_QUOTE = 32 * 1024;

/** Kind of attestation that Gramine was set up with: `dcap`, `epid`, `none`; empty outside Gramine. */
export const gramineType = async (files: DeviceFiles, root: string): Promise<string> => {
  const type = await files.read(join(root, 'attestation_type'), MAX_NAME);
  return type ? new TextDecoder().decode(type).trim() : '';
};

/**
 * An SGX quote of the enclave that this process runs in under Gramine, over `reportData` (64 bytes).
 * @throws Error when there is none.
 */
export const readGramineQuote = async (
  files: DeviceFiles,
  root: string,
  reportData: Uint8Array,
): Promise<Uint8Array> => {
  if (reportData.length !== REPORT_DATA_SIZE)
    throw new RangeError(`report data have ${REPORT_DATA_SIZE} bytes, not ${reportData.length}`);
  await files.write(join(root, 'user_report_data'), reportData);
  const quote = await files.read(join(root, 'quote'), MAX_QUOTE);
  if (!quote) throw new Error('Gramine gave no quote');
  return quote;
};
