import { randomUUID } from 'node:crypto';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { kill } from 'node:process';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { removeHome } from '../support/home.ts';
import { keepAliveClient, NotTaken } from '../support/keep-alive.ts';
import { type Stack, startStack } from '../support/stack.ts';

const PATIENCE = { timeout: 120_000, interval: 200 };

let home: string;
let stack: Stack;
let apis: readonly string[];
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'aivillage-several-'));
  stack = await startStack(home, {
    args: ['--workers', '2', '--apis', '2', '--projectors', '2'],
    env: { RATE_LIMIT_AUTHENTICATED: '1000000' },
  });
  apis = stack.apiUrls;
});
afterAll(async () => {
  await stack?.stop();
  await removeHome(home);
});

type Components = Readonly<Record<string, { status: string; missing?: string[] }>>;
const components = async (api: string): Promise<Components> => {
  const response = await fetch(`${api}/v1/system/health`);
  return ((await response.json()) as { components: Components }).components;
};
const COMPLETE = { status: 'ok', have: 2, expected: 2, missing: [] };

test('R147: two of each run, the CLI is told of the first API, and any API tells of all', async () => {
  expect(stack.apiUrl).toBe(apis[0]);
  expect(Object.keys(stack.pids())).toEqual(
    expect.arrayContaining(['api', 'api-1', 'worker', 'worker-1', 'projector', 'projector-1']),
  );
  for (const api of apis) {
    await expect
      .poll(() => components(api), PATIENCE)
      .toMatchObject({
        apis: COMPLETE,
        workers: COMPLETE,
        projectors: COMPLETE,
        crypto_proofs: { status: 'ok' },
      });
  }
});

test.each([
  ['worker-1', 'workers'],
  ['projector', 'projectors'],
  ['api-1', 'apis'],
])('health names %s while it hangs, and no longer when it goes on', async (name, component) => {
  const pid = stack.pids()[name] as number;
  const report = async () => (await components(apis[0] as string))[component];
  kill(pid, 'SIGSTOP');
  try {
    await expect.poll(report, PATIENCE).toMatchObject({ status: 'degraded', have: 1, missing: [name] });
  } finally {
    kill(pid, 'SIGCONT');
  }
  await expect.poll(report, PATIENCE).toMatchObject(COMPLETE);
});

test('R144: a rolling restart of both APIs under load loses no request', async () => {
  const stopping = new AbortController();
  const failures: unknown[] = [];
  let answered = 0;
  const quote = JSON.stringify({
    tier: 'gold',
    required_tops: 500,
    utilization: 0.8,
    duration_seconds: 60,
  });
  /** Every request is asked for until somebody answers it. */
  const ask = async (first: number): Promise<void> => {
    const client = keepAliveClient();
    let at = first;
    while (!stopping.signal.aborted) {
      const headers = {
        'X-API-Key': stack.apiKey,
        'Content-Type': 'application/json',
        'Idempotency-Key': randomUUID(),
      };
      for (let isDone = false; !isDone; ) {
        try {
          const url = `${apis[at % 2]}/v1/fog/pricing/quote`;
          const { status, body } = await client.post(url, quote, headers);
          if (status !== 200) failures.push(body);
          answered += 1;
          isDone = true;
        } catch (error) {
          if (!(error instanceof NotTaken)) failures.push(error);
          at += 1;
        }
      }
    }
    client.close();
  };
  const clients = Promise.all([0, 1, 2, 3].map(ask));
  const more = async (): Promise<void> => {
    const before = answered;
    await expect.poll(() => answered, PATIENCE).toBeGreaterThan(before + 50);
  };
  for (const name of ['api', 'api-1', 'api', 'api-1']) {
    await more();
    const back = stack.waitFor(new RegExp(`^${name} is up again`, 'm'), { fromNow: true });
    kill(stack.pids()[name] as number, 'SIGTERM');
    await back;
  }
  await more();
  stopping.abort();
  await clients;
  expect(failures.slice(0, 3)).toEqual([]);
  expect(stack.output()).not.toMatch(/was killed by/);
});
