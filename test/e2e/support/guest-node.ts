import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { expect, vi } from 'vitest';
import { type Micro, ZERO } from '../../../domain/money.ts';
import { providerIdOf } from '../../../domain/provider/provider-id.ts';
import { requiredStake } from '../../../domain/provider/stake.ts';
import { chipIdFor, issueChip, loadRoot, saveChip } from '../../../infra/tee/index.ts';
import { type Caller, type KeyHolder, signInOperator } from './principals.ts';
import type { SharedStack } from './shared-stack.ts';

const ROOT = resolve(import.meta.dirname, '..', '..', '..');

/** Where a guest stands: a place that no local node has. */
export const GUEST_PLACE = {
  infrastructureType: 'cloud_aws',
  asn: 64_510,
  region: 'guest-region',
  tops: 2000,
} as const;

export interface GuestNode {
  readonly providerId: string;
  stop(): Promise<void>;
}

/** Its cost is above every ceiling, so it never bids by itself: its owner bids over HTTP. */
const NEVER_BIDS = { pricePerH200Hour: '1000000000000', floor: '1', margin: 0, maxConcurrent: 8 };

const isUp = async ({ rest }: Caller, providerId: string): Promise<boolean> => {
  const { status, body } = await rest.get<{ label: string | null; presence: string | null }>(
    `/v1/providers/${providerId}`,
  );
  return status === 200 && body.label === 'simulated' && body.presence === 'up';
};

const ended = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  await exit;
};

/**
 * Runs one more node, a process of its own as the six local ones are, and resolves when it is attested and up. Its stake,
 * by default what bidding takes, is paid in for its owner and locked by its join.
 */
export const startGuestNode = async (
  stack: SharedStack,
  name: string,
  holder: KeyHolder,
  owner: Caller,
  stake: Micro = requiredStake(GUEST_PLACE.tops),
): Promise<GuestNode> => {
  if (stake !== ZERO) {
    const credit = { account_id: owner.id, amount: stake, reference: `stake-of-${name}` };
    const operator = await signInOperator(stack);
    expect((await operator.rest.post('/v1/ledger/credit', credit)).status).toBe(201);
  }
  const folder = join(stack.home, 'nodes', name);
  const neighbour = JSON.parse(await readFile(join(stack.home, 'nodes', 'aws', 'node.json'), 'utf8')) as {
    engines: string[];
  };
  const root = await loadRoot(join(stack.home, 'tee', 'root'));
  if (!root) throw new Error('the stack has no simulated root');
  await mkdir(folder, { mode: 0o700 });
  await writeFile(join(folder, 'node.key'), `${holder.seed.toString('hex')}\n`, { mode: 0o600 });
  await saveChip(
    join(folder, 'chip'),
    issueChip(root, { chipId: chipIdFor(name), now: new Date().toISOString() }),
  );
  const config = {
    ...GUEST_PLACE,
    name,
    owner: owner.id,
    platforms: ['amd_sev_snp'],
    engines: neighbour.engines,
    stake,
    costPolicy: NEVER_BIDS,
  };
  const configFile = join(folder, 'node.json');
  await writeFile(configFile, JSON.stringify(config));
  // A file, not the test's own output: a node that outlived it would hold that open.
  const log = openSync(join(stack.home, 'logs', `node-${name}.log`), 'a');
  const child = spawn(process.execPath, [join(ROOT, 'infra', 'main', 'node.ts'), configFile], {
    stdio: ['ignore', log, log],
  });
  const providerId = providerIdOf(holder.publicKey);
  try {
    await vi.waitUntil(() => isUp(owner, providerId), { timeout: 30_000, interval: 200 });
  } catch (error) {
    await ended(child);
    throw error;
  }
  return { providerId, stop: () => ended(child) };
};
