import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { AuctionAnnouncement } from '../../domain/mesh/messages.ts';
import { toMicro } from '../../domain/money.ts';
import { instant } from '../../domain/time.ts';
import { type ScriptedEngine, sha256, startScriptedEngine } from '../../test/support/scripted-engine.ts';
import { simulatedMachine } from '../../test/workloads/simulated-machine.ts';
import { saveChip } from '../tee/index.ts';

const PROGRAM = fileURLToPath(new URL('./node.ts', import.meta.url));
const TIMEOUT = { timeoutMs: 20_000 };
const WORDS = new TextEncoder().encode('to be or not to be');

let folder: string;
let engine: ScriptedEngine;
const children: ChildProcess[] = [];

const writeConfig = (config: object): Promise<void> =>
  writeFile(join(folder, 'node.json'), JSON.stringify(config));

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'aivillage-node-'));
  engine = await startScriptedEngine();
  await writeFile(join(folder, 'node.key'), randomBytes(32).toString('hex'), { mode: 0o600 });
  await saveChip(join(folder, 'chip'), simulatedMachine(instant(Date.now())).chip);
  await writeConfig({
    name: 'edge',
    owner: 'subject-1',
    infrastructureType: 'edge_devices',
    asn: 64_500,
    region: 'eu-west',
    tops: 1000,
    platforms: ['amd_sev_snp'],
    engines: [engine.address],
    stake: '1000',
    costPolicy: { pricePerH200Hour: '300000', floor: '1', margin: 0.1, maxConcurrent: 2 },
  });
});
afterEach(async () => {
  for (const child of children.splice(0)) if (child.exitCode === null) child.kill('SIGKILL');
  await engine.stop();
  await rm(folder, { recursive: true });
});

const start = (): { child: ChildProcess; output: () => string } => {
  const child = spawn(process.execPath, [PROGRAM, join(folder, 'node.json')], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  let text = '';
  child.stdout?.on('data', (data: Buffer) => (text += data.toString()));
  child.stderr?.on('data', (data: Buffer) => (text += data.toString()));
  return { child, output: () => text };
};

describe('the node program', { timeout: 60_000 }, () => {
  it('says when it is ready, runs work in an enclave and stops cleanly on SIGTERM', async () => {
    const { child, output } = start();
    await vi.waitFor(() => expect(output()).toMatch(/"msg":"[^"]*\bready\b/), { timeout: 20_000 });

    const code = await readFile(new URL('../workloads/word-count.wasm', import.meta.url));
    engine.artifacts.set(sha256(code), code).set(sha256(WORDS), WORDS);
    const enclaveId = `enclave-${'1'.repeat(26)}`;
    const config = { memoryMb: 64, cpuCores: 1, allowDebug: false } as const;
    const create = {
      type: 'create-enclave',
      enclaveId,
      platform: 'amd_sev_snp',
      codeHash: sha256(code),
      config,
    } as const;
    expect(await engine.ask(create, TIMEOUT)).toMatchObject({ type: 'enclave-created' });
    await engine.ask({ type: 'attest-enclave', enclaveId, nonce: 'ab'.repeat(32) }, TIMEOUT);
    const work = {
      args: [],
      inputHash: sha256(WORDS),
      randomSeed: '5e'.repeat(32),
      clockStart: '2026-01-01T00:00:00.000Z',
      timeLimitSeconds: 30,
    };
    const finished = await engine.ask({ type: 'run-enclave', enclaveId, jobId: null, work }, TIMEOUT);
    expect(finished).toMatchObject({
      type: 'run-finished',
      proof: { record: { outcome: 'exited', exitCode: 0 } },
    });

    child.kill('SIGTERM');
    const [exitCode] = (await once(child, 'exit')) as [number | null];
    expect(exitCode).toBe(0);
    await vi.waitFor(() => expect(engine.peer.libp2p.getConnections()).toEqual([]));
  });

  it('settled 44: measures its machine when it joins, and promises nothing that no machine can do', async () => {
    const { output } = start();
    await vi.waitFor(() => expect(engine.joins).toHaveLength(1), { timeout: 20_000 });
    const announce = (digit: string, requiredTops: number, durationSeconds: number) => {
      const auction: AuctionAnnouncement = {
        auctionId: `auction-${digit.repeat(26)}`,
        submitter: 'subject-2',
        tier: 'bronze',
        requiredTops,
        utilization: 1,
        durationSeconds,
        winners: 1,
        ceiling: toMicro('1000000000'),
        closesAt: instant(Date.now() + 25_000),
      };
      return engine.ask({ type: 'auction-opened', auction }, TIMEOUT);
    };
    // 30 million units of fuel a second; a million of them before the run has even begun.
    await announce('1', 30, 300);
    await announce('2', 1000, 0.001);
    await vi.waitFor(() => expect(output()).toContain('"reason":"not-in-time"'), { timeout: 25_000 });
    await vi.waitFor(() => expect(engine.bids.map(({ auctionId }) => auctionId.at(-1))).toEqual(['1']));
    expect(output()).toMatch(/"perSecond":\d{7,}.*"msg":"fuel rate measured"[^]*"msg":"node ready/);
  });

  it('ends with the field and the rule when its configuration is wrong', async () => {
    await writeConfig({
      ...JSON.parse(await readFile(join(folder, 'node.json'), 'utf8')),
      engines: ['/ip4/127.0.0.1/tcp/1'],
      tops: -1,
    });
    const { child, output } = start();
    const [exitCode] = (await once(child, 'close')) as [number];
    expect(exitCode).not.toBe(0);
    expect(output()).toContain('tops:');
    expect(output()).toContain('engines.0: a multiaddr that ends in /p2p/');
  });
});
