import { realpathSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { localFiles } from '../config/local-stack.ts';

const ROOT = resolve(import.meta.dirname, '..', '..');

const reads = (paths: readonly string[]): string[] => paths.map((path) => `--allow-fs-read=${path}`);

/** Code of the engine: the folder of one-file programs, or sources below the checkout, which as a whole may hold the data directory. */
const code = (programs: string | null, folders: readonly string[]): string[] =>
  reads(
    programs === null
      ? ['domain', 'infra', 'node_modules', 'package.json', ...folders].map((each) =>
          realpathSync(join(ROOT, each)),
        )
      : [realpathSync(programs)],
  );

/**
 * Flags of Node for a projector of the data directory `home`: it reads its own two keys and where the servers are, writes
 * nothing, and starts no process, thread or native code that could. The engine's keys are out of its reach.
 * @param programs folder of one-file programs that it runs from; null: from its sources
 */
export const projectorFlags = (home: string, programs: string | null): string[] => [
  '--permission',
  ...code(programs, ['projections']),
  ...reads([
    join(home, 'keys', 'checkpoint.key'),
    join(home, 'keys', 'anchor.key'),
    ...Object.values(localFiles(home)),
  ]),
];

/** What a node measures its processes by, and the attestation devices of a machine. */
const MACHINE = ['/proc/*', '/sys/kernel/config/tsm/*', '/dev/attestation/*', '/dev/sev-guest'];

/**
 * Flags of Node for a node whose folder is `folder`: it reads and writes nothing of the data directory but that. Its
 * sandboxes are processes of their own, so this stops what goes astray in it and not somebody who has taken it over.
 * @param programs as for a projector
 */
export const nodeFlags = (folder: string, programs: string | null): string[] => [
  '--permission',
  '--allow-child-process',
  // That it may do so is meant, and said above.
  '--disable-warning=PERM0002',
  ...code(programs, []),
  ...reads([folder, ...MACHINE]),
  ...[folder, ...MACHINE.slice(1)].map((path) => `--allow-fs-write=${path}`),
];
