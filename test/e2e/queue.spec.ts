import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { removeHome } from '../support/home.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { endOf, type JobBody, SMALL_JOB, storeModule } from './support/jobs.ts';
import { type Caller, enrol, keyHolder, signIn, signInOperator } from './support/principals.ts';
import { accountOf } from './support/views.ts';

const LOCAL_NODES = ['aws', 'azure', 'gcp', 'edge', 'datacenter', 'hybrid'];
const MINUTES = 60_000;
const PATIENCE = { timeout: MINUTES, interval: 100 };

let home: string;
let stack: Stack;
let operator: Caller;
let other: Caller;
let code_hash: string;

const signInOther = async (): Promise<Caller> => {
  const holder = keyHolder();
  await enrol(operator, holder, ['submitter']);
  const caller = await signIn(stack, holder, 'submitter');
  const credit = { account_id: caller.id, amount: '1000000', reference: `credit-of-${caller.id}` };
  expect((await operator.rest.post('/v1/ledger/credit', credit)).status).toBe(201);
  return caller;
};

const submit = async ({ rest }: Caller, change: object = {}): Promise<string> => {
  // As long as it takes, however slow the machine is.
  const body = { ...SMALL_JOB, max_wait_seconds: 3600, code_hash, ...change };
  const submitted = await rest.post<{ job_id: string; state: string }>('/v1/fog/scheduler/submit', body);
  expect(submitted).toMatchObject({ status: 202, body: { state: 'queued' } });
  return submitted.body.job_id;
};

interface Queue {
  readonly queue_stats: { readonly waiting: number };
  readonly own: {
    readonly items: readonly { readonly job_id: string; readonly queue_position: number | null }[];
  };
}
const queueOf = async ({ rest }: Caller): Promise<Queue> => {
  const { status, body } = await rest.get<Queue>('/v1/fog/scheduler/queue');
  expect(status).toBe(200);
  return body;
};
const placesOf = ({ own }: Queue): number[] =>
  own.items.flatMap(({ queue_position: place }) => (place === null ? [] : [place]));

/** Waits until jobs of the caller's are seen to wait. */
const somebodyWaits = (caller: Caller): Promise<Queue> =>
  vi.waitFor(async () => {
    const queue = await queueOf(caller);
    expect(placesOf(queue).length).toBeGreaterThan(0);
    return queue;
  }, PATIENCE);

/** Waits for the ends of jobs that wait for each other. */
const endsOf = (jobs: readonly (readonly [Caller, string])[]): Promise<JobBody[]> =>
  Promise.all(
    jobs.map(async ([{ rest }, jobId]) => {
      for (;;) {
        const path = `/v1/fog/scheduler/status/${jobId}?wait_for=terminal&timeout=60`;
        const { status, body } = await rest.get<JobBody>(path);
        // An API may be in trouble while its worker is away.
        if (status === 200 && body.ended_at !== null) return body;
      }
    }),
  );

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'aivillage-queue-'));
  // Each node has one place, and sells all of it for less than a small job may cost. Three owners have to bid for a job of
  // one winner, so that four are on their way at most.
  const costPolicy = { pricePerH200Hour: '1000', floor: '1', margin: 0.1, maxConcurrent: 1 };
  for (const name of LOCAL_NODES) {
    await mkdir(join(home, 'nodes', name), { recursive: true, mode: 0o700 });
    await writeFile(join(home, 'nodes', name, 'node.json'), JSON.stringify({ costPolicy }));
  }
  stack = await startStack(home);
  operator = await signInOperator(stack);
  other = await signInOther();
  code_hash = await storeModule(operator.rest, 'echo-args');
  await storeModule(other.rest, 'echo-args');
});
afterAll(async () => {
  await stack?.stop();
  await removeHome(home);
});

describe('more jobs at once than the nodes have places', () => {
  test('all settle: who finds no room waits for it, with its place', { timeout: 10 * MINUTES }, async () => {
    const jobs = await Promise.all(
      Array.from({ length: 12 }, async (_, index) => {
        const caller = index % 3 === 0 ? other : operator;
        return [caller, await submit(caller)] as const;
      }),
    );
    const seen = await somebodyWaits(operator);
    expect(seen.queue_stats.waiting).toBeGreaterThan(0);
    const waiting = seen.own.items.find(({ queue_position }) => queue_position !== null);
    const { body } = await operator.rest.get<JobBody>(`/v1/fog/scheduler/status/${waiting?.job_id}`);
    expect(body).toMatchObject({
      waits_until: expect.any(String) as string,
      progress: expect.any(Number) as number,
    });
    const ends = await endsOf(jobs);
    expect(ends.map(({ state, reason }) => ({ state, reason }))).toEqual(
      jobs.map(() => ({ state: 'settled', reason: null })),
    );
    expect(placesOf(await queueOf(operator))).toEqual([]);
    const { escrow } = await accountOf(operator);
    expect(escrow).toBe('0');
  });

  test('all settle when the worker that lets them out is killed', { timeout: 10 * MINUTES }, async () => {
    const ids = await Promise.all(Array.from({ length: 8 }, () => submit(operator)));
    await somebodyWaits(operator);
    stack.kill('worker');
    const ends = await endsOf(ids.map((id) => [operator, id] as const));
    expect(ends.map(({ state, reason }) => ({ state, reason }))).toEqual(
      ids.map(() => ({ state: 'settled', reason: null })),
    );
  });

  test('who has waited as long as it may fails, and has all of its money back', {
    timeout: 10 * MINUTES,
  }, async () => {
    const late = await signInOther();
    await storeModule(late.rest, 'echo-args');
    const before = await accountOf(late);
    // More than four, whose auctions take no end here: the room of one that closes no earlier than they do is theirs.
    const long = { auction_seconds: 3600 };
    await Promise.all(Array.from({ length: 5 }, () => submit(operator, long)));
    await somebodyWaits(operator);
    const jobId = await submit(late, { ...long, max_wait_seconds: 1 });
    expect(await endOf(late.rest, jobId)).toMatchObject({
      state: 'failed',
      reason: 'WAIT_LIMIT_EXCEEDED',
      message: 'no room for the job within its max_wait_seconds of 1',
      closes_at: null,
      price_micro: '0',
    });
    expect(await accountOf(late)).toMatchObject({ available: before.available, escrow: '0' });
  });
});
