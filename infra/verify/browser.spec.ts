import { fileURLToPath } from 'node:url';
import { createContext, runInContext } from 'node:vm';
import { rolldown } from 'rolldown';
import { beforeAll, describe, expect, it } from 'vitest';
import { exportText, logOf, signer } from './export/export.fixture.ts';

const ENTRY = fileURLToPath(new URL('./index.ts', import.meta.url));

/** What a browser gives to a script, and nothing of Node. */
const webApis = () => ({ atob, btoa, crypto, TextDecoder, TextEncoder });

let code: string;
let modules: string[];

beforeAll(async () => {
  const bundle = await rolldown({ input: ENTRY, platform: 'browser', logLevel: 'silent' });
  const { output } = await bundle.generate({ format: 'iife', name: 'verify' });
  await bundle.close();
  expect(output).toHaveLength(1);
  code = output[0].code;
  modules = output[0].moduleIds;
});

/** Value of a script that sees the library as `verify`, its arguments as `input`, and the Web's APIs. */
const inBrowser = (script: string, input: unknown): Promise<unknown> => {
  const context = createContext({ ...webApis(), input: JSON.stringify(input) });
  return runInContext(
    `${code}; (async () => { const args = JSON.parse(input);
      const hex = (text) => Uint8Array.from(text.match(/../g) ?? [], (digits) => parseInt(digits, 16));
      ${script} })()`,
    context,
  ) as Promise<unknown>;
};

describe('the verification library', () => {
  it('bundles for a browser without anything of Node', () => {
    expect(code).not.toMatch(/["'`]node:|\brequire\(|\bBuffer\.|\bprocess\.(?!env\.NODE_ENV)/);
    const own = modules.filter((path) => !path.includes('node_modules') && path.startsWith('/'));
    expect(own.filter((path) => !/\/(?:infra\/verify|domain)\//.test(path))).toEqual([]);
  });

  it('verifies logs in a context that has Web APIs alone', async () => {
    const log = logOf(40);
    const input = { text: exportText(log), publicKey: signer.publicKey, earlier: [log.checkpoint(17)] };
    const verdict = await inBrowser(
      `const source = new TextEncoder().encode(args.text);
       const good = await verify.verifyExport({ ...args, source });
       source[source.length - 9] ^= 1;
       const bad = await verify.verifyExport({ ...args, source });
       return JSON.stringify([good.valid, good.events, bad.valid]);`,
      input,
    );
    expect(verdict).toBe('[true,40,false]');
  });

  it('verifies there with byte arrays of that context', async () => {
    const leaves = ['a', 'b', 'c'].map((letter) => Buffer.from(letter).toString('hex'));
    const verdict = await inBrowser(
      `const sha256 = async (bytes) => new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
       const leafHashes = await Promise.all(args.map((leaf) => sha256(Uint8Array.of(0, ...hex(leaf)))));
       const left = await sha256(Uint8Array.of(1, ...leafHashes[0], ...leafHashes[1]));
       const root = await sha256(Uint8Array.of(1, ...left, ...leafHashes[2]));
       return JSON.stringify([
         verify.verifyInclusion({ leafHash: leafHashes[2], index: 2, size: 3, root, path: [left] }),
         verify.verifyInclusion({ leafHash: leafHashes[1], index: 2, size: 3, root, path: [left] }),
         verify.verifyConsistency({ size1: 2, size2: 3, root1: left, root2: root, path: [leafHashes[2]] }),
         verify.ecvrfVerify({
           suite: 'edwards25519-tai',
           publicKey: new Uint8Array(32), alpha: new Uint8Array(0), proof: new Uint8Array(80),
         }),
       ]);`,
      leaves,
    );
    expect(verdict).toBe('[true,false,true,null]');
  });

  it('refuses foreign bytes of that context without throwing', async () => {
    const verdict = await inBrowser(
      `const bytes = new Uint8Array(9);
       const results = [];
       for (const format of ['sev-snp', 'sgx-dcap', 'tdx-dcap', 'psa', 'cca']) {
         const collateral = format === 'sev-snp' ? { vcek: bytes, chain: bytes } : format.endsWith('dcap') ? {} : { key: bytes };
         const { verified, acceptable } = await verify.verifyAttestation({ format, evidence: bytes, collateral, now: args });
         results.push(verified || acceptable);
       }
       return JSON.stringify(results);`,
      '2026-01-01T00:00:00Z',
    );
    expect(verdict).toBe('[false,false,false,false,false]');
  });
});
