import { open, readFile, stat, writeFile } from 'node:fs/promises';
import { MAX_ARTIFACT_BYTES } from '../../domain/ports/artifacts.ts';
import { refuse } from './failure.ts';

/** A file of its own name stands for the standard stream. */
const STANDARD = '-';
const MEBIBYTE = 1024 * 1024;

export const isStandard = (file: string | undefined): boolean => file === STANDARD;

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EACCES: 'no permission',
  EISDIR: 'is a folder',
  ENOTDIR: 'no such folder',
};

/** A failure to reach a file of the user, naming option, file and reason. */
export const because = (option: string, file: string, error: unknown): Error => {
  const { code, message } = error as NodeJS.ErrnoException;
  return refuse(`${option} ${file}: ${REASONS[code ?? ''] ?? message}`);
};

const tooLarge = (option: string, file: string): Error =>
  refuse(`${option} ${file}: at most ${MAX_ARTIFACT_BYTES / MEBIBYTE} MiB can be stored`);

const collect = async (
  stream: AsyncIterable<Uint8Array>,
  option: string,
): Promise<Uint8Array<ArrayBuffer>> => {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of stream) {
    size += chunk.length;
    if (size > MAX_ARTIFACT_BYTES) throw tooLarge(option, STANDARD);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
};

/**
 * The bytes of a file of the user, or of `stdin` for `-`.
 * @throws CliError that names option, file and reason; also for more than an artefact may hold.
 */
export const readInput = async (
  option: string,
  file: string,
  stdin: AsyncIterable<Uint8Array>,
): Promise<Uint8Array<ArrayBuffer>> => {
  if (isStandard(file)) return collect(stdin, option);
  try {
    if ((await stat(file)).size <= MAX_ARTIFACT_BYTES) return await readFile(file);
  } catch (error) {
    throw because(option, file, error);
  }
  throw tooLarge(option, file);
};

/**
 * Makes sure that `writeOutput` will be able to write, without harm to what the file holds now.
 * @throws CliError that names option, file and reason.
 */
export const ensureWritable = async (option: string, file: string): Promise<void> => {
  try {
    await (await open(file, 'a')).close();
  } catch (error) {
    throw because(option, file, error);
  }
};

/** @throws CliError that names option, file and reason. */
export const writeOutput = async (option: string, file: string, bytes: Uint8Array): Promise<void> => {
  try {
    await writeFile(file, bytes);
  } catch (error) {
    throw because(option, file, error);
  }
};
