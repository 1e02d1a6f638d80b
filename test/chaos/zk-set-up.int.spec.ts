import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import type { Pool } from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { EventStore } from '../../domain/ports/event-store.ts';
import { circuitStream } from '../../domain/predicate/acceptance.ts';
import type { PredicateCompiled, PredicateKeyMade } from '../../domain/predicate/events.ts';
import { readPredicate } from '../../domain/predicate/predicate.ts';
import { createPostgresArtifacts } from '../../infra/artifacts/postgres.ts';
import { createPostgresEventStore } from '../../infra/event-store/postgres/store.ts';
import { createSigner } from '../../infra/keys/signer.ts';
import { migrate } from '../../infra/postgres/migrate.ts';
import { createPool } from '../../infra/postgres/pool.ts';
import { createLifecycles } from '../../infra/temporal/lifecycles.ts';
import { clientConverter } from '../../infra/temporal/sealed-payloads.ts';
import { keyHashOf, verifyPredicate } from '../../infra/verify/index.ts';
import { CIRCUIT_FILES } from '../../infra/zk/circuit-files.ts';
import { createCircuits } from '../../infra/zk/circuits.ts';
import { sha256 } from '../../infra/zk/hashes.ts';
import { findToolchain } from '../../infra/zk/toolchain.ts';
import { COMMAND_KEYS } from '../support/command-keys.ts';
import { metaOf, now } from '../support/engine.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { temporalAddress } from '../support/temporal.ts';
import { openZk, PERSON } from '../support/zk/circuit.ts';
import { descendants, running } from '../workloads/processes.ts';

const WORKER = fileURLToPath(new URL('./zk-worker.ts', import.meta.url));
/** A lost worker is noticed after 20 seconds without a heartbeat; a set-up takes half a minute. */
const STEP_MS = 120_000;

let database: TestDatabase;
let pool: Pool;
let store: EventStore;
let connection: Connection;
let cache: string;
let taskQueue: string;
let workers: Worker[];

beforeEach(async () => {
  database = await createTestDatabase();
  await migrate(database.url);
  pool = createPool(database.url, { name: 'test', max: 4 });
  store = createPostgresEventStore({ pool });
  connection = await Connection.connect({ address: await temporalAddress() });
  cache = await mkdtemp(join(tmpdir(), 'aivillage-zk-chaos-'));
  taskQueue = `zk-${randomBytes(6).toString('hex')}`;
  workers = [];
});
afterEach(async () => {
  await Promise.all(workers.map((worker) => worker.kill()));
  await connection.close();
  await store.close();
  await pool.end();
  await database.drop();
  await rm(cache, { recursive: true });
});

interface Worker {
  /** Everything that it said. */
  readonly said: readonly string[];
  readonly pid: number;
  signal(signal: NodeJS.Signals): void;
  kill(): Promise<void>;
}

const startWorker = async (): Promise<Worker> => {
  const args = [WORKER, database.url, await temporalAddress(), taskQueue, cache];
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const said: string[] = [];
  createInterface(child.stdout).on('line', (line) => said.push(line));
  const worker = {
    said,
    pid: child.pid as number,
    signal: (signal: NodeJS.Signals) => void child.kill(signal),
    kill: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
  workers.push(worker);
  await heard(worker, 'ready');
  return worker;
};

const heard = (worker: Worker, line: string, times = 1) =>
  expect
    .poll(() => worker.said.filter((each) => each === line).length, { timeout: STEP_MS, interval: 5 })
    .toBeGreaterThanOrEqual(times);

const circuitOf = (predicate: string) => {
  const read = readPredicate(predicate, PERSON);
  if (!read.ok) throw new Error(read.message);
  const { circuitId, shape, cost } = read.value;
  return {
    stream: circuitStream(circuitId),
    command: { type: 'request', circuitId, shape, ...cost } as const,
  };
};

const request = async (predicate: string, commandId: string) => {
  const client = new Client({ connection, dataConverter: clientConverter(COMMAND_KEYS) });
  const lifecycles = createLifecycles({ client, store, taskQueue });
  const { stream, command } = circuitOf(predicate);
  return lifecycles.open('predicate', stream, command, metaOf(commandId));
};

const finished = async (predicate: string): Promise<void> => {
  const { stream } = circuitOf(predicate);
  await expect
    .poll(async () => (await store.readStream(stream)).at(-1)?.type, { timeout: STEP_MS, interval: 200 })
    .toBe('predicate.key-made');
};

/** One circuit, one key, in log, cache and artefacts alike, and a proof that the key is whole. */
const expectOneKey = async (predicate: string): Promise<void> => {
  const { stream } = circuitOf(predicate);
  const events = await store.readStream(stream);
  expect(events.map(({ type }) => type)).toEqual([
    'predicate.requested',
    'predicate.compiled',
    'predicate.key-made',
  ]);
  const [, compiled, made] = events.map(({ data }) => data as unknown) as [
    unknown,
    PredicateCompiled,
    PredicateKeyMade,
  ];
  const { transcript, verificationKey } = made;
  expect(transcript).toMatchObject({
    verified: true,
    r1csHash: compiled.r1csHash,
    wasmHash: compiled.wasmHash,
    keyHash: keyHashOf(verificationKey),
  });
  expect(transcript.contributions).toHaveLength(1);

  const entries = (await readdir(cache)).toSorted((a, b) => a.length - b.length);
  expect(entries).toEqual([expect.stringMatching(/^[0-9a-f]{64}$/), `${entries[0]}.compiled`]);
  expect((await readdir(join(cache, entries[0] as string))).toSorted()).toEqual(
    [...Object.values(CIRCUIT_FILES), 'manifest.json'].toSorted(),
  );
  const artifacts = createPostgresArtifacts({
    pool,
    signer: createSigner([new Uint8Array(32).fill(3)]),
    now,
  });
  for (const [name, hash] of [
    [CIRCUIT_FILES.r1cs, transcript.r1csHash],
    [CIRCUIT_FILES.wasm, transcript.wasmHash],
    [CIRCUIT_FILES.zkey, transcript.zkeyHash],
  ] as const) {
    expect(sha256(await readFile(join(cache, entries[0] as string, name)))).toBe(hash);
    const published = await artifacts.read(hash);
    if (name === CIRCUIT_FILES.r1cs) expect(published).toBeNull();
    else expect(sha256(published as Uint8Array)).toBe(hash);
  }

  const circuits = createCircuits({ directory: cache, toolchain: await findToolchain() });
  const zk = await openZk(predicate, PERSON, Promise.resolve(circuits));
  try {
    expect(zk.facts).toEqual({ transcript, verificationKey });
    const [credential, context] = [await zk.issue({ age: 30, country: 'DE', trust: '0.9' }), zk.context()];
    const { files, secret } = zk;
    const proved = await zk.wallet.prove({ predicate, context, credential, secret, files });
    if (!proved.ok) throw new Error(proved.message);
    const expected = { predicate, schema: PERSON, issuer: credential.issuer, context };
    const claim = { ...proved.value, verificationKey, expected, now: '2026-01-01T00:10:00.000Z' };
    expect(verifyPredicate(claim)).toMatchObject({ valid: true });
  } finally {
    await zk.tools.close();
  }
};

describe('R51: a set-up under fire', () => {
  test('worker or tools killed -9 in compiler, set-up, contribution and publication: one circuit, one key, nothing half-made', {
    timeout: 600_000,
  }, async () => {
    const predicate = 'age >= 18';
    let worker = await startWorker();
    expect(await request(predicate, 'command-1')).toMatchObject({ ok: true });
    const tools: number[] = [];
    const note = async (): Promise<number[]> => {
      const pids = await descendants(worker.pid);
      tools.push(...pids);
      return pids;
    };

    for (const step of ['compiling', 'contributing', 'published a file']) {
      await heard(worker, step);
      await note();
      await worker.kill();
      worker = await startWorker();
      // The tools alone: their worker lives on and begins anew.
      if (step === 'compiling') {
        await heard(worker, 'making the key');
        for (const pid of await note()) process.kill(pid, 'SIGKILL');
      }
    }
    await finished(predicate);
    expect(tools.length).toBeGreaterThanOrEqual(2);
    await expect.poll(() => running(tools)).toEqual([]);
    const said = workers.flatMap((each) => each.said);
    // What was finished before a kill is found again, not made again.
    expect(workers.map(({ said }) => said.filter((line) => line === 'compiling').length)).toEqual([
      1, 1, 0, 0,
    ]);
    expect(said.filter((line) => line === 'making the key')).toHaveLength(3);
    expect(workers.at(-1)?.said).toEqual([
      'ready',
      'asked to set up',
      'published a file',
      'published a file',
    ]);
    await expectOneKey(predicate);
  });

  test('two workers, two who ask at once, and one worker that falls silent: one set-up', {
    timeout: 400_000,
  }, async () => {
    // Of another shape: the run's Temporal knows the workflow of the first test.
    const predicate = 'age == 30';
    const [one, two] = [await startWorker(), await startWorker()];
    const answers = await Promise.all([request(predicate, 'command-1'), request(predicate, 'command-2')]);
    expect(answers.filter(({ ok }) => ok)).toHaveLength(1);

    const isBusy = ({ said }: Worker) => said.includes('making the key');
    await expect.poll(() => [one, two].some(isBusy), { timeout: STEP_MS, interval: 5 }).toBe(true);
    const [busy, idle] = isBusy(one) ? [one, two] : [two, one];
    // Stopped, not dead: Temporal takes it for lost and asks the other, which waits for what is being made.
    busy.signal('SIGSTOP');
    await heard(idle, 'asked to set up');
    busy.signal('SIGCONT');
    await finished(predicate);
    const said = [...one.said, ...two.said];
    for (const step of ['compiling', 'making the key', 'contributing', 'checking the key'])
      expect(
        said.filter((line) => line === step),
        step,
      ).toHaveLength(1);
    await expectOneKey(predicate);
  });
});
