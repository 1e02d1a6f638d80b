import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { DeviceFiles } from './files.ts';

/** What the kernel's configfs-tsm gave (Documentation/ABI/testing/configfs-tsm-report, Linux 6.7). */
export interface TsmReport {
  /** `sev_guest`, `tdx_guest`, … */
  readonly provider: string;
  readonly report: Uint8Array;
  /** Supplement of the provider, such as SEV-SNP's certificate table; empty where it gives none. */
  readonly auxiliary: Uint8Array;
}

/** The kernel takes this many bytes of report data at most. */
export const REPORT_DATA_SIZE = 64;
const MAX_NAME = 64;
/** The kernel's own bounds when the interface began; far above any report of today. */
const MAX_REPORT = 32 * 1024;
const MAX_AUXILIARY = 64 * 1024;

const text = (bytes: Uint8Array | null): string => (bytes ? new TextDecoder().decode(bytes).trim() : '');

/** An entry of one's own: nobody else writes to it. It is removed again whatever happens. */
const withEntry = async <T>(
  files: DeviceFiles,
  root: string,
  use: (entry: (name: string) => string) => Promise<T>,
): Promise<T> => {
  const path = join(root, `aivillage-${randomBytes(8).toString('hex')}`);
  await files.makeEntry(path);
  try {
    return await use((name) => join(path, name));
  } finally {
    await files.removeEntry(path);
  }
};

/** Name of the provider behind configfs-tsm at `root`. */
export const tsmProvider = (files: DeviceFiles, root: string): Promise<string> =>
  withEntry(files, root, async (entry) => text(await files.read(entry('provider'), MAX_NAME)));

/**
 * A report over `reportData` (64 bytes).
 * @throws Error when the kernel gives none, or another writer came between.
 */
export const readTsmReport = async (
  files: DeviceFiles,
  root: string,
  reportData: Uint8Array,
): Promise<TsmReport> => {
  if (reportData.length !== REPORT_DATA_SIZE)
    throw new RangeError(`report data have ${REPORT_DATA_SIZE} bytes, not ${reportData.length}`);
  return withEntry(files, root, async (entry) => {
    const generation = async () => Number(text(await files.read(entry('generation'), MAX_NAME)));
    const before = await generation();
    await files.write(entry('inblob'), reportData);
    const report = await files.read(entry('outblob'), MAX_REPORT);
    const auxiliary = await files.read(entry('auxblob'), MAX_AUXILIARY);
    // The kernel counts writes: one more than before, or the report is over somebody else's data.
    if ((await generation()) !== before + 1) throw new Error('another writer used the same report entry');
    const provider = text(await files.read(entry('provider'), MAX_NAME));
    if (!report) throw new Error(`the provider ${provider} gave no report`);
    return { provider, report, auxiliary: auxiliary ?? new Uint8Array(0) };
  });
};
