import { createPrivateKey, type KeyObject } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TrustedRoot } from '../../verify/roots.ts';
import { type SecurityVersions, type SimulatedChip, type SimulatedRoot, trustedRootOf } from './root.ts';

/** Written whole or not at all, readable by the owner only. */
const write = async (directory: string, name: string, content: Uint8Array | string): Promise<void> => {
  const path = join(directory, name);
  await writeFile(`${path}.new`, content, { mode: 0o600 });
  await rename(`${path}.new`, path);
};

const keyText = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString();

const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ENOENT';

/** The result of `load`, or null when one of its files is not there (yet). */
const orNull = async <T>(load: () => Promise<T>): Promise<T | null> => {
  try {
    return await load();
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
};

/** Saves ARK, ASK and the ASK's key into `directory`. The key comes last: with it the root is complete. */
export const saveRoot = async (directory: string, root: SimulatedRoot): Promise<void> => {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await write(directory, 'ark.der', root.ark);
  await write(directory, 'ask.der', root.ask);
  await write(directory, 'ask.key', keyText(root.askKey));
};

/** A saved root, or null when there is none. */
export const loadRoot = (directory: string): Promise<SimulatedRoot | null> =>
  orNull(async () => ({
    askKey: createPrivateKey(await readFile(join(directory, 'ask.key'))),
    ask: new Uint8Array(await readFile(join(directory, 'ask.der'))),
    ark: new Uint8Array(await readFile(join(directory, 'ark.der'))),
  }));

/** Only the public half, for a verifier's trust store; null when there is none. */
export const loadTrustedRoot = (directory: string): Promise<TrustedRoot | null> =>
  orNull(async () => trustedRootOf(new Uint8Array(await readFile(join(directory, 'ark.der')))));

interface ChipFile {
  readonly chipId: string;
  readonly versions: SecurityVersions;
}

/** Saves a chip into `directory`; the key comes last. */
export const saveChip = async (directory: string, chip: SimulatedChip): Promise<void> => {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const [vcek, ask, ark] = chip.certificates;
  const facts: ChipFile = { chipId: Buffer.from(chip.chipId).toString('hex'), versions: chip.versions };
  await write(directory, 'vcek.der', vcek);
  await write(directory, 'ask.der', ask);
  await write(directory, 'ark.der', ark);
  await write(directory, 'chip.json', `${JSON.stringify(facts)}\n`);
  await write(directory, 'vcek.key', keyText(chip.key));
};

/** A saved chip, or null when there is none. */
export const loadChip = (directory: string): Promise<SimulatedChip | null> =>
  orNull(async () => {
    const key = createPrivateKey(await readFile(join(directory, 'vcek.key')));
    const facts = JSON.parse(await readFile(join(directory, 'chip.json'), 'utf8')) as ChipFile;
    const certificate = async (name: string) => new Uint8Array(await readFile(join(directory, name)));
    return {
      chipId: new Uint8Array(Buffer.from(facts.chipId, 'hex')),
      versions: facts.versions,
      key,
      certificates: [
        await certificate('vcek.der'),
        await certificate('ask.der'),
        await certificate('ark.der'),
      ],
    };
  });
