import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const SOURCE = fileURLToPath(new URL('./go/main.go', import.meta.url));

/** The program of `go/` as Go compiles it for WASI preview 1; null on a machine without Go. */
export const buildGoProgram = async (): Promise<Uint8Array | null> => {
  const folder = await mkdtemp(join(tmpdir(), 'aivillage-go-'));
  try {
    const output = join(folder, 'main.wasm');
    const env = { ...process.env, GOOS: 'wasip1', GOARCH: 'wasm', GO111MODULE: 'off', GOFLAGS: '' };
    await promisify(execFile)('go', ['build', '-o', output, SOURCE], { env });
    return new Uint8Array(await readFile(output));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};
