import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Credential } from '../../domain/predicate/credential.ts';
import { readPredicate } from '../../domain/predicate/predicate.ts';
import { ADULT, type OpenZk, openZk, PERSON } from '../../test/support/zk/circuit.ts';
import { running } from '../../test/workloads/processes.ts';
import { verifyPredicate } from '../verify/index.ts';
import type { Job } from './child/protocol.ts';
import { CIRCUIT_FILES } from './circuit-files.ts';
import { createCircuits } from './circuits.ts';
import { startToolProcess, ToolError, type ToolProcess, type withTools } from './tool-process.ts';
import { findToolchain } from './toolchain.ts';

const shapeOf = (text: string) => {
  const read = readPredicate(text, PERSON);
  if (!read.ok) throw new Error(JSON.stringify(read.errors));
  return read.value.shape;
};

describe('R50, R51: keys are made once, apart, and kept by content', () => {
  let directory: string;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'aivillage-zk-'));
  });
  afterAll(() => rm(directory, { recursive: true }));

  test('two misses at once make one set-up; other thresholds make none; what is damaged does not load', async () => {
    const toolchain = await findToolchain();
    const steps: string[] = [];
    const note = (step: string): void => void steps.push(step);
    const circuits = createCircuits({ directory, toolchain });
    const [one, other] = await Promise.all([
      circuits.setUp(shapeOf('age >= 18'), note),
      circuits.setUp(shapeOf('age >= 21'), note),
    ]);
    expect(other).toEqual(one);
    expect(steps).toEqual(['compiling', 'making the key', 'contributing', 'checking the key']);

    const { transcript, verificationKey } = one.facts;
    expect(transcript).toMatchObject({
      setup: 'single-party-development',
      verified: true,
      beacon: null,
      powersOfTau: { power: 13, sha256: toolchain.ptau.sha256 },
      contributions: [{ name: 'aivillage development', hash: expect.stringMatching(/^[0-9a-f]{128}$/) }],
      r1csHash: one.files[CIRCUIT_FILES.r1cs],
      wasmHash: one.files[CIRCUIT_FILES.wasm],
      zkeyHash: one.files[CIRCUIT_FILES.zkey],
    });
    expect(verificationKey['nPublic']).toBe(8);

    const later = createCircuits({ directory, toolchain });
    expect(await later.setUp(shapeOf('not (age < 65)'), note)).toEqual(one);
    expect(steps).toHaveLength(4);

    const file = await open(join(one.directory, CIRCUIT_FILES.zkey), 'r+');
    await file.write(Uint8Array.of(0xff), 0, 1, 1000);
    await file.close();
    expect(await later.find(shapeOf('age >= 18'))).toBeNull();
  }, 240_000);

  test('tools run for one circuit at a time on this host, whoever asks', async () => {
    const toolchain = await findToolchain();
    let running = 0;
    let most = 0;
    /** Tools that say how many of them run. */
    const runTools: typeof withTools = async (work) => {
      running += 1;
      most = Math.max(most, running);
      const run = async (job: Job) => {
        if (job.type !== 'compile') throw new Error(job.type);
        for (const name of [CIRCUIT_FILES.r1cs, CIRCUIT_FILES.wasm])
          await writeFile(join(job.directory, name), job.source);
        return { constraints: 1, publicInputs: 1 };
      };
      try {
        return await work({ run: run as ToolProcess['run'], pid: 0, close: async () => undefined });
      } finally {
        running -= 1;
      }
    };
    const shapes = ['age == 18', 'age == 18 or trust >= 0.1', 'trust >= 0.1', 'not (age == 18)'].map(shapeOf);
    const compiled = shapes.map(async (shape) =>
      createCircuits({ directory, toolchain, runTools }).compile(shape),
    );
    expect(new Set((await Promise.all(compiled)).map((entry) => entry.directory)).size).toBe(4);
    expect([most, running]).toEqual([1, 0]);
  });

  test('tools that take too much memory are ended, and it is said why', async () => {
    const tools = startToolProcess(16);
    await expect(tools.run({ type: 'poseidon', inputs: [1n] })).rejects.toThrow('more than 16 MB of memory');
    await tools.close();
  });

  test('a source that circom refuses is an error with its words, and leaves nothing', async () => {
    const tools = startToolProcess();
    const { includes } = await findToolchain();
    const job = { type: 'compile', source: 'component main = Nothing();', includes, directory } as const;
    await expect(tools.run(job)).rejects.toThrow(/Nothing/);
    await tools.close();
    await expect(tools.run(job)).rejects.toThrow(ToolError);
  });
});

describe('R53: the holder proves, without showing', () => {
  let zk: OpenZk;
  let credential: Credential;

  beforeAll(async () => {
    zk = await openZk();
    credential = await zk.issue({ age: 30, country: 'DE', trust: '0.9' });
  }, 240_000);
  afterAll(() => zk.tools.close());

  const prove = (change: object = {}) =>
    zk.wallet.prove({
      predicate: ADULT,
      context: zk.context(),
      credential,
      secret: zk.secret,
      files: zk.files,
      ...change,
    });

  const rulesOf = async (change: object) => {
    const result = await prove(change);
    return result.ok ? [] : (result.errors ?? []).map(({ field, rule }) => `${field}: ${rule}`);
  };

  test('an honest proof verifies in process; each scope has its own nullifier', async () => {
    const nullifiers: (string | null)[] = [];
    for (const scope of ['one', 'one', 'two']) {
      const context = zk.context({ scope });
      const proved = await prove({ context });
      if (!proved.ok) throw new Error(proved.message);
      const verdict = verifyPredicate({
        ...proved.value,
        verificationKey: zk.facts.verificationKey,
        expected: { predicate: ADULT, schema: PERSON, issuer: credential.issuer, context },
        now: '2026-01-01T00:10:00.000Z',
      });
      expect(verdict.valid).toBe(true);
      nullifiers.push(verdict.nullifier);
      expect(JSON.stringify(proved.value)).not.toContain(zk.secret);
    }
    expect(nullifiers[1]).toBe(nullifiers[0]);
    expect(nullifiers[2]).not.toBe(nullifiers[0]);
  });

  test('what is not so cannot be proved', async () => {
    for (const values of [
      { age: 17, country: 'DE', trust: '0.9' },
      { age: 30, country: 'IT', trust: '0.9' },
      { age: 30, country: 'FR', trust: '0.799' },
    ]) {
      expect(await rulesOf({ credential: await zk.issue(values) })).toEqual([
        'predicate: one that the credential fulfils',
      ]);
    }
    expect(
      await rulesOf({ credential: { ...credential, values: { ...credential.values, age: 31 } } }),
    ).toEqual(['credential: signed by its issuer']);
    expect(await rulesOf({ credential: { ...credential, expiresAt: '2030-01-01T00:00:00Z' } })).toEqual([
      'credential: signed by its issuer',
    ]);
    expect(await rulesOf({ secret: '1' })).toEqual(['secret: the secret of the holder of the credential']);
    const late = zk.context({ issuedAt: '2027-01-01T00:00:01.000Z', expiresAt: '2027-01-01T00:10:00.000Z' });
    expect(await rulesOf({ context: late })).toEqual(['credential: not expired']);
    expect(await rulesOf({ predicate: 'age >= 18' })).toEqual([
      expect.stringMatching(/^context.circuitId: [0-9a-f]{64}, as the predicate says$/),
    ]);
    expect(await rulesOf({ predicate: 'height >= 18' })).toEqual([
      expect.stringContaining('predicate: character 1'),
    ]);
  });
});

describe('the tool process', () => {
  test('ends at once when closed, with the workers of snarkjs', async () => {
    const tools = startToolProcess();
    await tools.run({ type: 'poseidon', inputs: [1n] });
    // One job could be done before the signal arrives; the last of so many cannot.
    const jobs = Array.from({ length: 1000 }, (_, input) =>
      tools.run({ type: 'poseidon', inputs: [BigInt(input)] }),
    );
    const closed = tools.close();
    const last = (await Promise.allSettled(jobs)).at(-1);
    expect(last).toMatchObject({ status: 'rejected', reason: expect.any(ToolError) });
    await closed;
    expect(await running([tools.pid])).toEqual([]);
  });

  test('ends when its parent is killed', async () => {
    const program = `
      import { startToolProcess } from '${new URL('./tool-process.ts', import.meta.url).href}';
      const tools = startToolProcess();
      await tools.run({ type: 'poseidon', inputs: [1n] });
      console.log(tools.pid);
      setInterval(() => {}, 1000);`;
    const parent = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(createInterface(parent.stdout), 'line')) as [string];
    const pid = Number(line);
    expect(await running([pid])).toEqual([pid]);
    parent.kill('SIGKILL');
    await vi.waitFor(async () => expect(await running([pid])).toEqual([]), { timeout: 5_000 });
  });
});
