import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile, readlink } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EnclaveConfig, WorkOrder } from '../../domain/enclave/events.ts';
import { ENCLAVE_LIMITS } from '../../domain/enclave/limits.ts';
import type { Result } from '../../domain/errors.ts';
import { METERING_VERSION } from '../../domain/metering/costs.ts';
import { instrument } from '../../domain/metering/instrument.ts';
import type { MeteredRecord } from '../../domain/proof/record.ts';
import { assemble, assembleTestModule } from '../../test/workloads/assemble.ts';
import { descendants, newDescendants, running } from '../../test/workloads/processes.ts';
import { simulatedMachine } from '../../test/workloads/simulated-machine.ts';
import { fromBase64Url } from '../verify/bytes.ts';
import { type ProofVerdict, verifyAttestation, verifyExecutionProof } from '../verify/index.ts';
import type { Enclave, FinishedRun } from './enclave.ts';
import { createEnclaveHost, type EnclaveHost } from './host.ts';

const NOW = new Date().toISOString();
const NONCE = 'ab'.repeat(32);
const CONFIG: EnclaveConfig = { memoryMb: 64, cpuCores: 1, allowDebug: false };
const SEED = '5e'.repeat(32);

/** Calls itself without end; the sum behind the call keeps it from becoming a loop. */
const DEEP = `(module (memory (export "memory") 1)
  (func $down (param i32) (result i32)
    (i32.add (call $down (i32.add (local.get 0) (i32.const 1))) (local.get 0)))
  (func (export "_start") (drop (call $down (i32.const 0)))))`;

const machine = simulatedMachine(NOW);
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

let host: EnclaveHost;
beforeAll(() => {
  host = createEnclaveHost({ platform: machine.platform });
});
afterAll(() => host.close());

let created = 0;
const enclaveOf = async (code: Uint8Array, config = CONFIG): Promise<Enclave> => {
  created += 1;
  const result = await host.create({ enclaveId: `enclave-${created}`, code, codeHash: sha256(code), config });
  if (!result.ok) throw new Error(JSON.stringify(result));
  return result.value;
};

const workOf = (input: Uint8Array, work: Partial<WorkOrder> = {}): WorkOrder => ({
  args: [],
  inputHash: sha256(input),
  randomSeed: SEED,
  clockStart: '2026-01-01T00:00:00.000Z',
  timeLimitSeconds: 30,
  fuelLimit: 10_000_000_000,
  ...work,
});

const order = (work: WorkOrder) => ({ jobId: 'job-1', providerId: 'provider-1', work });

/** Runs a test module once, in an enclave of its own. */
const runOnce = async (module: string | Uint8Array, work: Partial<WorkOrder> = {}): Promise<FinishedRun> => {
  const result = await tryOnce(module, work);
  if (!result.ok) throw new Error(JSON.stringify(result));
  return result.value;
};

const tryOnce = async (
  module: string | Uint8Array,
  work: Partial<WorkOrder> = {},
): Promise<Result<FinishedRun>> => {
  const enclave = await enclaveOf(typeof module === 'string' ? await assembleTestModule(module) : module);
  const input = new Uint8Array(0);
  await enclave.attest(NONCE);
  const result = await enclave.run(order(workOf(input, work)), input);
  await enclave.destroy();
  return result;
};

const verify = (proof: unknown): Promise<ProofVerdict> =>
  verifyExecutionProof(proof, { roots: machine.roots, now: new Date(), policy: { allowSimulated: true } });

describe('an enclave', () => {
  it('R42: runs real work and proves it with its own key', async () => {
    const code = new Uint8Array(await readFile(new URL('../workloads/word-count.wasm', import.meta.url)));
    const enclave = await enclaveOf(code);
    const attested = await enclave.attest(NONCE);
    if (!attested.ok) throw new Error(attested.message);
    const input = bytesOf('three small words');
    const run = await enclave.run(order(workOf(input)), input);
    if (!run.ok) throw new Error(run.message);
    expect(new TextDecoder().decode(run.value.output)).toBe('words: 3\n');
    expect(run.value.proof.record).toMatchObject({
      outcome: 'exited',
      exitCode: 0,
      moduleHash: sha256(code),
      inputHash: sha256(input),
      outputHash: sha256(run.value.output),
      outputBytes: 9,
      reportHash: sha256(fromBase64Url(attested.value.report)),
    });
    expect(await verify(run.value.proof)).toMatchObject({ valid: true, platform: 'simulated' });
  });

  it('R38: binds code, configuration, nonce and key into its report', async () => {
    const code = await assembleTestModule('exit-3');
    const [enclave, bigger] = [await enclaveOf(code), await enclaveOf(code, { ...CONFIG, memoryMb: 65 })];
    expect(enclave.measurement).not.toBe(bigger.measurement);
    expect(enclave.enclaveKey).not.toBe(bigger.enclaveKey);
    const attested = await enclave.attest(NONCE);
    if (!attested.ok) throw new Error(attested.message);
    const [vcek = '', ...chain] = attested.value.certificates;
    const verdict = async (expected: { measurement: string; nonce: string; key: string }) =>
      verifyAttestation({
        format: 'sev-snp',
        evidence: fromBase64Url(attested.value.report),
        collateral: { vcek: fromBase64Url(vcek), chain: chain.map(fromBase64Url) },
        now: new Date(),
        policy: { roots: machine.roots, allowSimulated: true },
        expected,
      });
    const honest = { measurement: enclave.measurement, nonce: NONCE, key: enclave.enclaveKey };
    const failed = async (change: Partial<typeof honest>) =>
      (await verdict({ ...honest, ...change })).reasons.filter((step) => !step.ok).map((step) => step.code);
    expect(await failed({})).toEqual([]);
    expect(await failed({ measurement: bigger.measurement })).toEqual(['MEASUREMENT_MISMATCH']);
    expect(await failed({ nonce: 'cd'.repeat(32) })).toEqual(['REPORT_DATA_MISMATCH']);
    expect(await failed({ key: bigger.enclaveKey })).toEqual(['REPORT_DATA_MISMATCH']);
  });

  it('answers a repeated attestation or run like the first, and one run at a time', async () => {
    const enclave = await enclaveOf(await assembleTestModule('loop'));
    const input = new Uint8Array(0);
    const first = order(workOf(input, { timeLimitSeconds: 0.5 }));
    expect(await enclave.run(first, input)).toMatchObject({ ok: false, code: 'CONFLICT' });
    const attestations = await Promise.all([enclave.attest(NONCE), enclave.attest(NONCE)]);
    expect(attestations[0]).toEqual(attestations[1]);
    const running = [enclave.run(first, input), enclave.run(structuredClone(first), input)];
    expect(await enclave.run(order(workOf(input)), input)).toMatchObject({ ok: false, code: 'CONFLICT' });
    const [one, two] = await Promise.all(running);
    expect(one).toEqual(two);
    expect(await enclave.run(first, input)).toEqual(one);
  });

  it('refuses a work order that breaks a rule, naming it', async () => {
    const enclave = await enclaveOf(await assembleTestModule('exit-3'));
    const input = new Uint8Array(0);
    await enclave.attest(NONCE);
    const fields = async (work: Partial<WorkOrder>) => {
      const result = await enclave.run(order(workOf(input, work)), input);
      return result.ok ? [] : (result.errors ?? []).map((error) => error.field);
    };
    expect(await fields({ args: ['a\0b'] })).toEqual(['work.args.0']);
    expect(await fields({ randomSeed: 'abc' })).toEqual(['work.randomSeed']);
    expect(await fields({ clockStart: 'soon' })).toEqual(['work.clockStart']);
    expect(await fields({ timeLimitSeconds: 3_000_000 })).toEqual(['work.timeLimitSeconds']);
    expect(await fields({ fuelLimit: 0 })).toEqual(['work.fuelLimit']);
    expect(await fields({ fuelLimit: 1.5 })).toEqual(['work.fuelLimit']);
    expect(await fields({ inputHash: 'ff'.repeat(32) })).toEqual(['work.inputHash']);
    expect(await enclave.attest('short')).toMatchObject({ code: 'INVALID_REQUEST' });
  });
});

describe('a module in its sandbox', () => {
  it('exits with its own code, which is a result', async () => {
    expect((await runOnce('exit-3')).proof.record).toMatchObject({ outcome: 'exited', exitCode: 3 });
  });

  it('gets its arguments', async () => {
    const { output } = await runOnce('echo-args', { args: ['one', 'zwei ü', ''] });
    expect(new TextDecoder().decode(output)).toBe('main.wasm\0one\0zwei ü\0\0');
  });

  it('gets a capability error for a file and for a socket, and sees no environment', async () => {
    expect((await runOnce('open-file')).proof.record.exitCode).toBe(76);
    expect((await runOnce('open-socket')).proof.record.exitCode).toBe(76);
    expect((await runOnce('environment')).proof.record.exitCode).toBe(0);
  });

  it('has the same output in two enclaves with the same order, and another with another seed', async () => {
    const [a, b, c] = [
      await runOnce('random-and-clock'),
      await runOnce('random-and-clock'),
      await runOnce('random-and-clock', { randomSeed: '00'.repeat(32) }),
    ];
    expect(a.proof.record.outputHash).toBe(b.proof.record.outputHash);
    expect(a.proof.record.outputHash).not.toBe(c.proof.record.outputHash);
    const clock = Buffer.from(a.output).readBigUInt64LE(32);
    expect(clock).toBe(BigInt(Date.parse('2026-01-01T00:00:00Z')) * 1_000_000n + 1_000_000n);
    expect(Buffer.from(a.output).readBigUInt64LE(40) - clock).toBe(1_000_000n);
  });

  it('settled 40, 44: not done in time, it signs what it was given, and its submitter learns why', async () => {
    const endless = { timeLimitSeconds: 1, fuelLimit: Number.MAX_SAFE_INTEGER };
    const { proof, output } = await runOnce('loop', endless);
    const { record } = proof;
    expect(record).toMatchObject({
      outcome: 'time_limit',
      exitCode: null,
      trap: null,
      fuel: { used: null, limit: Number.MAX_SAFE_INTEGER },
      outputBytes: 0,
      stderrTail: expect.stringMatching(/^looping\n.*time limit of 1 s\n$/s) as string,
    });
    expect(output).toHaveLength(0);
    expect(record.resources.wallMs).toBeGreaterThanOrEqual(1000);
    expect(record.resources.cpuMs).toBeGreaterThan(0);
    // Between a machine of the nineties and one that has yet to be built, and far from what the order says.
    expect(record.resources.probedFuelPerSecond).toBeGreaterThan(1e6);
    expect(record.resources.probedFuelPerSecond).toBeLessThan(1e13);
    expect(await verify(proof)).toMatchObject({ valid: true });
  });

  it('settled 44: ends at its fuel limit, and the submitter learns why', async () => {
    const { proof, output } = await runOnce('loop', { fuelLimit: 50_000_000 });
    expect(proof.record).toMatchObject({
      version: 2,
      outcome: 'fuel_limit',
      exitCode: null,
      trap: null,
      fuel: { used: 50_000_000, limit: 50_000_000 },
      stderrTail: 'looping\n\n[sandbox] stopped at the limit of 50000000 units of fuel\n',
    });
    expect(output.length).toBe(0);
    expect(await verify(proof)).toMatchObject({ valid: true });
  });

  it('ends by a limit of its stack that no compiler has a say in', async () => {
    const { proof } = await runOnce(await assemble('deep.wat', DEEP));
    expect(proof.record).toMatchObject({ outcome: 'stack_limit', exitCode: null, trap: null });
    expect(proof.record.stderrTail).toContain('nested too deep');
    expect(await verify(proof)).toMatchObject({ valid: true });
  });

  it('names the module that ran in its place', async () => {
    const code = await assembleTestModule('exit-3');
    const { proof } = await runOnce(code);
    const metered = instrument(code);
    if (!metered.ok) throw new Error(metered.message);
    expect(proof.record).toMatchObject({
      moduleHash: sha256(code),
      metering: { version: METERING_VERSION, moduleHash: sha256(metered.value.bytes) },
    });
  });

  it('cannot have more memory than its enclave', async () => {
    const { proof } = await runOnce('grow-memory');
    expect(proof.record).toMatchObject({ outcome: 'memory_limit', exitCode: null });
    expect(proof.record.resources.peakMemoryBytes).toBe(64 * 1024 * 1024);
    expect(proof.record.stderrTail).toContain('no more memory');
    expect(await verify(proof)).toMatchObject({ valid: true });
  });

  it('runs in the least memory that may be asked for', async () => {
    const { min } = ENCLAVE_LIMITS.memoryMb;
    const grows = async (pages: number): Promise<number | null> => {
      const text = `(module (memory (export "memory") 1)
        (func (export "_start") (if (i32.lt_s (memory.grow (i32.const ${pages})) (i32.const 0)) (then unreachable))))`;
      const enclave = await enclaveOf(await assemble('grow', text), { ...CONFIG, memoryMb: min });
      const input = new Uint8Array(0);
      await enclave.attest(NONCE);
      const result = await enclave.run(order(workOf(input)), input);
      await enclave.destroy();
      if (!result.ok) throw new Error(result.message);
      return result.value.proof.record.exitCode;
    };
    expect(await grows(15)).toBe(0);
    expect(await grows(16)).toBeNull();
  });

  it('cannot fill the heap around its memory either: all tables together are bounded', async () => {
    const tables = Array.from({ length: 100 }, (_, index) => `$t${index}`);
    const code = await assemble(
      'tables.wat',
      `(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (memory (export "memory") 1)
        ${tables.map((name) => `(table ${name} 1 externref)`).join(' ')}
        (func (export "_start")
          ${tables.map((name) => `(drop (table.grow ${name} (ref.null extern) (i32.const 999000)))`).join(' ')}
          (if (i32.ne (table.grow $t0 (ref.null extern) (i32.const 9999)) (i32.const 1))
            (then (call $exit (i32.const 1))))
          (if (i32.ne (table.grow $t0 (ref.null extern) (i32.const 1)) (i32.const -1))
            (then (call $exit (i32.const 2))))))`,
    );
    expect((await runOnce(code)).proof.record).toMatchObject({ outcome: 'exited', exitCode: 0 });
  });

  it('cannot write more than 16 MiB, and is ended where it tries', async () => {
    const { proof, output } = await runOnce('flood-output');
    expect(proof.record).toMatchObject({ outcome: 'output_limit', exitCode: null });
    expect(output.length).toBe(16 * 1024 * 1024);
    expect(await verify(proof)).toMatchObject({ valid: true });
  });

  it('may trap, which is told apart from a limit', async () => {
    const { proof } = await runOnce('trap');
    expect(proof.record).toMatchObject({ outcome: 'trapped', exitCode: null, trap: 'divide_by_zero' });
    expect(proof.record.stderrTail).toContain('divide_by_zero');
    expect(await verify(proof)).toMatchObject({ valid: true });
  });

  it('has the same outcome and fuel however often it runs', async () => {
    const facts = async (): Promise<unknown> => {
      const { outcome, trap, fuel, outputHash } = (await runOnce('random-and-clock')).proof
        .record as MeteredRecord;
      return { outcome, trap, fuel, outputHash };
    };
    expect(await facts()).toEqual(await facts());
  });
});

describe('an enclave host', () => {
  it('refuses what could not run, naming field and rule', async () => {
    const code = await assembleTestModule('exit-3');
    const good = { enclaveId: 'refused', code, codeHash: sha256(code), config: CONFIG };
    const errors = async (change: Partial<typeof good>) => {
      const result = await host.create({ ...good, ...change });
      return result.ok ? [] : (result.errors ?? []);
    };
    expect(await errors({ config: { ...CONFIG, memoryMb: 10_240 } })).toEqual([
      { field: 'config.memoryMb', rule: 'an integer from 1 to 4096' },
    ]);
    expect(await errors({ codeHash: '00'.repeat(32) })).toMatchObject([{ field: 'codeHash' }]);
    const cut = code.subarray(0, code.length - 3);
    expect(await errors({ code: cut, codeHash: sha256(cut) })).toMatchObject([{ field: 'module' }]);
    const large = await assembleTestModule('large-start');
    expect(await errors({ code: large, codeHash: sha256(large) })).toEqual([
      { field: 'config.memoryMb', rule: 'at least 65, which the module starts with' },
    ]);
    expect(host.get('refused')).toBeUndefined();
  });

  it('R40: gives the same enclave for the same order, never two, and none after its end', async () => {
    const code = await assembleTestModule('exit-3');
    const same = { enclaveId: 'enclave-same', code, codeHash: sha256(code), config: CONFIG };
    const [a, b] = await Promise.all([host.create(same), host.create(same)]);
    if (!a.ok || !b.ok) throw new Error('not created');
    expect(a.value).toBe(b.value);
    expect(host.live()).toContain('enclave-same');
    expect(await host.create({ ...same, config: { ...CONFIG, memoryMb: 128 } })).toMatchObject({
      code: 'CONFLICT',
    });
    await a.value.destroy();
    await a.value.destroy();
    expect(host.live()).not.toContain('enclave-same');
    expect(await host.create(same)).toMatchObject({ ok: false, code: 'CONFLICT' });
    expect(await a.value.attest(NONCE)).toMatchObject({ ok: false, code: 'RESOURCE_UNAVAILABLE' });
  });

  it('keeps a quota', async () => {
    const small = createEnclaveHost({ platform: machine.platform, maximumEnclaves: 1 });
    const code = await assembleTestModule('exit-3');
    const base = { code, codeHash: sha256(code), config: CONFIG };
    expect((await small.create({ ...base, enclaveId: 'one' })).ok).toBe(true);
    expect(await small.create({ ...base, enclaveId: 'two' })).toMatchObject({ code: 'RESOURCE_UNAVAILABLE' });
    await small.close();
    expect(small.live()).toEqual([]);
  });

  it('ends a run whose enclave is destroyed, and leaves no process behind', async () => {
    const before = await descendants(process.pid);
    const enclave = await enclaveOf(await assembleTestModule('loop'));
    const input = new Uint8Array(0);
    await enclave.attest(NONCE);
    const run = enclave.run(order(workOf(input)), input);
    const pids = await newDescendants(process.pid, 2, before);
    await enclave.destroy();
    expect(await run).toMatchObject({ ok: false, code: 'RESOURCE_UNAVAILABLE' });
    expect(await running(pids)).toEqual([]);
  });

  it('tells of an enclave that died, and forgets it', async () => {
    const before = await descendants(process.pid);
    const enclave = await enclaveOf(await assembleTestModule('loop'));
    const input = new Uint8Array(0);
    await enclave.attest(NONCE);
    const run = enclave.run(order(workOf(input)), input);
    const [pid = 0, runner = 0] = await newDescendants(process.pid, 2, before);
    process.kill(pid, 'SIGKILL');
    expect(await run).toMatchObject({ ok: false, code: 'RESOURCE_UNAVAILABLE' });
    expect(host.live()).not.toContain(enclave.enclaveId);
    await expect.poll(() => running([runner]), { timeout: 10_000 }).toEqual([]);
  });

  it('gives its processes no environment and, where it says so, no network', async () => {
    const before = await descendants(process.pid);
    const enclave = await enclaveOf(await assembleTestModule('exit-3'));
    const [pid = 0] = await newDescendants(process.pid, 1, before);
    const names = (await readFile(`/proc/${pid}/environ`, 'utf8')).split('\0').filter(Boolean);
    // Node's own channel to its parent.
    expect(names.filter((name) => !name.startsWith('NODE_CHANNEL_'))).toEqual([]);
    const [own, theirs] = [await readlink('/proc/self/ns/net'), await readlink(`/proc/${pid}/ns/net`)];
    expect(own === theirs).toBe(host.network === 'host');
    expect(enclave.network).toBe(host.network);
  });

  it.runIf(spawnSync('setpriv', ['--no-new-privs', 'true']).status === 0)(
    'gives its processes no right of the system, nor a way to one',
    async () => {
      const before = await descendants(process.pid);
      const enclave = await enclaveOf(await assembleTestModule('loop'));
      const input = new Uint8Array(0);
      await enclave.attest(NONCE);
      const run = enclave.run(order(workOf(input)), input);
      const pids = await newDescendants(process.pid, 2, before);
      for (const pid of pids) {
        const status = await readFile(`/proc/${pid}/status`, 'utf8');
        expect(status).toMatch(/^NoNewPrivs:\s1$/m);
        expect(status).toMatch(/^CapEff:\s0+$/m);
      }
      process.kill(pids[0] ?? 0, 'SIGKILL');
      await run;
    },
  );

  it('takes its enclaves and their modules with it, even when it is killed', async () => {
    const program = fileURLToPath(new URL('../../test/workloads/host-program.ts', import.meta.url));
    const node = spawn(process.execPath, [program], { stdio: 'ignore' });
    const pids = await newDescendants(node.pid ?? 0, 2);
    node.kill('SIGKILL');
    await expect.poll(() => running(pids), { timeout: 10_000 }).toEqual([]);
  });
});
