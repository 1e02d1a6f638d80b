import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CliRun, runCli } from '../support/cli.ts';
import { sha256Of } from '../support/rest.ts';
import { assembleTestModule } from '../workloads/assemble.ts';
import { type Caller, signInOperator } from './support/principals.ts';
import { type SharedStack, serversOf, sharedStack } from './support/shared-stack.ts';

const WORD_COUNT = resolve(import.meta.dirname, '..', '..', 'infra', 'workloads', 'word-count.wasm');

interface JobJson {
  readonly job_id: string;
  readonly proof_id: string;
  readonly price_micro: string;
  readonly position: string;
}

let stack: SharedStack;
let operator: Caller;
let folder: string;

beforeAll(async () => {
  stack = await sharedStack();
  operator = await signInOperator(stack);
  folder = await mkdtemp(join(tmpdir(), 'aivillage-cli-job-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const aivillage = (...args: string[]): Promise<CliRun> => runCli(stack.home, args);

const moduleFile = async (name: string): Promise<string> => {
  const file = join(folder, `${name}.wasm`);
  await writeFile(file, await assembleTestModule(name));
  return file;
};

const run = (wasm: string, ...more: string[]): Promise<CliRun> =>
  aivillage(
    'job',
    'run',
    '--wasm',
    wasm,
    '--auction-seconds',
    '1',
    '--tops',
    '20',
    '--memory-mb',
    '64',
    ...more,
  );

const json = <T>({ stdout }: CliRun): T => JSON.parse(stdout) as T;

const ID = '[0-7][0-9A-HJKMNP-TV-Z]{25}';
const id = (prefix: string): string => expect.stringMatching(new RegExp(`^${prefix}-${ID}$`)) as string;
const whole = expect.stringMatching(/^\d+$/) as string;

describe('job run', () => {
  let gold: JobJson;

  test('--json prints exactly the documented object', async () => {
    const input = join(folder, 'input.txt');
    await writeFile(input, 'one two three\n');
    const ran = await run(WORD_COUNT, '--input', input, '--tier', 'gold', '--json');
    expect(ran).toMatchObject({ code: 0 });
    expect(ran.stdout.trimEnd().split('\n')).toHaveLength(1);
    gold = json(ran);
    const member = {
      node_id: id('provider'),
      owner: id('subject'),
      infrastructure_type: expect.any(String) as string,
      paid_micro: whole,
    };
    expect(gold).toStrictEqual({
      job_id: id('job'),
      state: 'settled',
      exit_code: 0,
      output_sha256: sha256Of(Buffer.from('words: 3\n')),
      price_micro: whole,
      members: [member, member, member],
      proof_id: id('proof'),
      position: whole,
    });
  });

  test('job show and job list print the same job', async () => {
    expect(json(await aivillage('job', 'show', gold.job_id, '--json'))).toStrictEqual(gold);
    const { items } = json<{ items: { job_id: string; state: string }[] }>(
      await aivillage('job', 'list', '--json'),
    );
    expect(items).toContainEqual({ job_id: gold.job_id, state: 'settled' });
    for (const item of items) expect(Object.keys(item)).toEqual(['job_id', 'state']);
  });

  test('arguments reach the module, in order', async () => {
    const output = join(folder, 'arguments');
    const wasm = await moduleFile('echo-args');
    const ran = await run(
      wasm,
      '--tier',
      'bronze',
      '--arg',
      'one',
      '--arg',
      '--two three',
      '--output',
      output,
    );
    expect(ran).toMatchObject({ code: 0 });
    const [program, ...args] = (await readFile(output, 'utf8')).split('\0');
    expect(program).not.toBe('');
    expect(args).toEqual(['one', '--two three', '']);
  });

  test('the exit code of the module is a result: the job settles', async () => {
    const ran = await run(await moduleFile('exit-3'), '--tier', 'bronze', '--json');
    expect(ran.code).toBe(0);
    expect(json(ran)).toMatchObject({ state: 'settled', exit_code: 3 });
  });

  test('audit replay shows the job at any revision', async () => {
    const at = async (...more: string[]) =>
      json<{ revision: number; value: unknown; context: { members: object[]; failure: null } }>(
        await aivillage('audit', 'replay', gold.job_id, '--json', ...more),
      );
    expect(await at('--at', '0')).toMatchObject({ revision: 0, value: 'queued', context: { members: [] } });
    expect(await at('--at', '1')).toMatchObject({ revision: 1, value: 'quoted' });
    expect(await at('--at', '2')).toMatchObject({ revision: 2, value: { auctioning: 'waiting' } });
    const end = await at();
    expect(end).toMatchObject({ value: 'settled', context: { failure: null } });
    expect(end.context.members).toHaveLength(3);
    expect(await aivillage('audit', 'replay', gold.job_id, '--at', String(end.revision + 1))).toMatchObject({
      code: 2,
    });
  });

  describe('audit', () => {
    interface Report {
      readonly events: number;
      readonly chain_ok: boolean;
      readonly replay_ok: boolean;
      readonly projections_ok: boolean;
      readonly ledger_sum_micro: string;
      readonly problems: readonly {
        readonly check: string;
        readonly subject: string;
        readonly difference: string;
      }[];
    }
    const check = async (): Promise<{ code: number; report: Report }> => {
      const ran = await aivillage('audit', 'check', '--json');
      return { code: ran.code, report: json(ran) };
    };
    const healthy = {
      chain_ok: true,
      replay_ok: true,
      projections_ok: true,
      ledger_sum_micro: '0',
      problems: [],
    };

    const sql = async (statement: string, values: unknown[]): Promise<void> => {
      const client = new Client({ connectionString: serversOf(stack.home).databaseUrl });
      await client.connect();
      try {
        expect((await client.query(statement, values)).rowCount).toBe(1);
      } finally {
        await client.end();
      }
    };

    test('check passes, finds one row of a read model that was tampered with, and rebuild repairs it', async () => {
      const { code, report } = await check();
      expect(report).toMatchObject(healthy);
      expect(report.events).toBeGreaterThanOrEqual(Number(gold.position));
      expect(code).toBe(0);

      await sql('update fog.jobs set price = price + 1 where job_id = $1', [gold.job_id]);
      const price = async () =>
        json<JobJson>(await aivillage('job', 'show', gold.job_id, '--json')).price_micro;
      expect(await price()).toBe(String(BigInt(gold.price_micro) + 1n));
      const tampered = await check();
      expect(tampered.code).toBe(1);
      expect(tampered.report).toMatchObject({
        ...healthy,
        projections_ok: false,
        problems: expect.any(Array),
      });
      expect(tampered.report.problems).toHaveLength(2);
      for (const problem of tampered.report.problems) {
        expect(problem).toMatchObject({ check: 'projection', subject: 'jobs' });
        expect(problem.difference).toContain(gold.job_id);
      }

      expect(await aivillage('audit', 'rebuild', 'jobs')).toMatchObject({ code: 0 });
      expect(await price()).toBe(gold.price_micro);
      expect(await check()).toMatchObject({ code: 0, report: healthy });
    });

    test('what the audit passed is what the API serves: Σ is zero', async () => {
      expect(await operator.rest.get(`/v1/ledger/accounts/${operator.id}`)).toMatchObject({
        body: { total: '0' },
      });
    });
  });
});
