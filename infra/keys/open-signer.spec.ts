import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type OpenSigner, openSigner } from './open-signer.ts';

const seed = (byte: number): string => byte.toString(16).padStart(2, '0').repeat(32);
const PATIENCE = { timeout: 20_000, interval: 10 };

let directory: string;
let file: string;
let opened: OpenSigner[];
let faults: string[];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'aivillage-keys-'));
  file = join(directory, 'engine.key');
  write(seed(1));
  opened = [];
  faults = [];
});
afterEach(() => {
  for (const signer of opened) signer.close();
  rmSync(directory, { recursive: true });
});

const write = (...seeds: readonly string[]): void => {
  writeFileSync(`${file}.new`, seeds.map((line) => `${line}\n`).join(''));
  renameSync(`${file}.new`, file);
};
const open = (onChange: () => void = () => undefined): OpenSigner => {
  const signer = openSigner(file, { onFault: (fault) => faults.push(fault), onChange });
  opened.push(signer);
  return signer;
};

it('a process that has not yet looked verifies what another signs with the new key', () => {
  const [early, late] = [open(), open()];
  write(seed(2), seed(1));
  early.reload();
  const signature = early.sign('test', 'message');
  expect(signature.startsWith(late.kid)).toBe(false);
  expect(late.verify('test', 'message', signature)).toBe(true);
  expect(late.kid).toBe(early.kid);
  expect(late.jwks()).toEqual(early.jwks());
  expect(late.publicKey('nobody')).toBeNull();
});

it('an old signature is good until its key leaves the file, and the change is told', async () => {
  let changes = 0;
  const signer = open(() => changes++);
  const signature = signer.sign('test', 'message');
  write(seed(2), seed(1));
  await expect.poll(() => changes, PATIENCE).toBe(1);
  expect(signer.verify('test', 'message', signature)).toBe(true);
  write(seed(2));
  await expect.poll(() => changes, PATIENCE).toBe(2);
  expect(signer.verify('test', 'message', signature)).toBe(false);
});

it('a damaged file changes nothing and is reported without its content; none at the start is refused', async () => {
  const signer = open();
  const before = signer.kid;
  write('half a secret');
  await expect.poll(() => faults, PATIENCE).not.toEqual([]);
  expect(faults.join()).not.toContain('secret');
  expect(signer.kid).toBe(before);
  write(seed(3));
  await expect.poll(() => signer.kid, PATIENCE).not.toBe(before);
  rmSync(file);
  expect(() => open()).toThrow('ENOENT');
});
