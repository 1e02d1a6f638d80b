import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sha256OfFile, sha256OfFolder } from './hashes.ts';

const { resolve } = createRequire(import.meta.url);

const TEMPLATES = fileURLToPath(new URL('./templates', import.meta.url));
const PTAU = fileURLToPath(new URL('./ptau', import.meta.url));

/** The first step of every set-up, which all circuits share. */
interface PowersOfTau {
  readonly path: string;
  readonly power: number;
  readonly sha256: string;
  /** Who made them, as their record says. */
  readonly setup: 'single-party-development' | 'ceremony';
}

/** Compiler, prover, and all else that a key depends on beside the circuit. */
export interface Toolchain {
  /** Folders for `include`. */
  readonly includes: readonly string[];
  readonly templatesHash: string;
  readonly circomlibHash: string;
  readonly compiler: string;
  readonly prover: string;
  readonly ptau: PowersOfTau;
}

/** The optional packages are not there: this installation can verify proofs but not make them. */
export class NoToolchainError extends Error {
  override readonly name = 'NoToolchainError';
}

/** The folder of an installed package, found from the file that it gives to importers. */
const folderOf = (name: string): string => {
  try {
    const entry = resolve(name === 'circomlib' ? 'circomlib/package.json' : name);
    return entry.slice(0, entry.lastIndexOf(join('node_modules', name)) + join('node_modules', name).length);
  } catch (error) {
    throw new NoToolchainError(`the optional package ${name} is not installed`, { cause: error });
  }
};

const versionOf = async (name: string): Promise<string> => {
  const { version } = JSON.parse(await readFile(join(folderOf(name), 'package.json'), 'utf8')) as {
    version: string;
  };
  return `${name} ${version}`;
};

/** Finds the tools of this installation. @throws NoToolchainError */
export const findToolchain = async (): Promise<Toolchain> => {
  const circomlib = folderOf('circomlib');
  folderOf('circomlibjs');
  const { file, ...ptau } = JSON.parse(await readFile(join(PTAU, 'bn254-13.json'), 'utf8')) as {
    readonly file: string;
  } & Omit<PowersOfTau, 'path'>;
  const path = join(PTAU, file);
  if ((await sha256OfFile(path)) !== ptau.sha256) throw new Error(`${file} is not the file its record names`);
  return {
    includes: [TEMPLATES, dirname(circomlib)],
    templatesHash: await sha256OfFolder(TEMPLATES, '.circom'),
    circomlibHash: await sha256OfFolder(join(circomlib, 'circuits'), '.circom'),
    compiler: await versionOf('circom2'),
    prover: await versionOf('snarkjs'),
    ptau: { path, power: ptau.power, sha256: ptau.sha256, setup: ptau.setup },
  };
};
