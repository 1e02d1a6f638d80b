import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Job } from './client/schema.ts';
import type { CliContext } from './context.ts';
import { CliError, EXIT, refuse } from './failure.ts';
import { JOB_ID, job, jobIn, OUTPUT, OUTPUT_SHA256, scriptedClient } from './job/job.fixture.ts';
import { runCli } from './program.ts';

let folder: string;
let wasm: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'aivillage-cli-'));
  wasm = join(folder, 'module.wasm');
  writeFileSync(wasm, 'wasm');
});
afterEach(() => rmSync(folder, { recursive: true }));

const unused = () => Promise.reject(new Error('no command of these tests reads the log'));
const NO_ZK = { submit: unused, circuit: unused, file: unused, verify: unused };
const NO_SUBJECTS = {
  create: unused,
  addKey: unused,
  changeRoles: unused,
  revokeKey: unused,
  list: () => {
    throw new Error('no command of these tests lists principals');
  },
};
const NO_LOG = { head: unused, anchors: unused, entries: unused, tile: unused };

interface Surroundings {
  readonly jobs?: readonly Job[];
  readonly isLocalStack?: boolean;
  readonly stdin?: string;
  readonly interrupt?: CliContext['interruptible'];
}

/** Runs a command line against a scripted engine and tells all that it did. */
const cli = async (
  argv: readonly string[],
  { jobs = [job()], isLocalStack = true, stdin = '', interrupt }: Surroundings = {},
) => {
  const summaries = jobs.map(({ job_id, state, tier, price_micro, submitted_at }) => ({
    job_id,
    state,
    tier,
    price_micro,
    submitted_at,
  }));
  const client = scriptedClient(jobs, { summaries });
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const audits: (readonly string[])[] = [];
  let code: number = EXIT.ok;
  const context: CliContext = {
    stdin: (async function* () {
      yield Buffer.from(stdin);
    })(),
    stdout,
    stderr: stderr as unknown as NodeJS.WriteStream,
    engine: async () => ({
      client,
      log: NO_LOG,
      zk: NO_ZK,
      subjects: NO_SUBJECTS,
      zkDirectory: folder,
      isLocalStack,
    }),
    audit: async (args) => {
      audits.push(args);
      return 1;
    },
    recover: async () => 0,
    interruptible: interrupt ?? ((work) => work),
    exit: (given) => {
      code = given;
    },
  };
  await runCli(argv, context);
  stdout.end();
  stderr.end();
  const submitted = client.calls.find(([method]) => method === 'submit')?.[1];
  return { code, out: await text(stdout), err: await text(stderr), calls: client.calls, submitted, audits };
};

const runArgs = (...more: string[]) => ['job', 'run', '--wasm', wasm, '--tier', 'gold', ...more];

test('defaults of a run are those of settled 22', async () => {
  const { calls, submitted } = await cli(runArgs());
  expect(calls[0]).toEqual([
    'quote',
    { tier: 'gold', required_tops: 500, utilization: 0.8, duration_seconds: 60 },
  ]);
  expect(submitted).toEqual({
    quote_id: 'signed.token',
    code_hash: 'sha256-of-4-bytes',
    args: [],
    auction_seconds: 10,
    max_wait_seconds: 300,
    allow_simulated: true,
  });
});

test('every option of a run arrives; arguments keep their order and may look like options', async () => {
  const input = join(folder, 'input');
  writeFileSync(input, 'some input');
  const { calls, submitted } = await cli([
    ...runArgs('--arg', '-n', '--arg', '3', '--input', input, '--tops', '250.5', '--utilization', '0.25'),
    ...[
      '--duration',
      '30',
      '--auction-seconds',
      '2',
      '--max-price',
      '007000',
      '--memory-mb',
      '64',
      '--max-wait',
      '45',
    ],
    '--no-allow-simulated',
  ]);
  expect(calls[0]?.[1]).toEqual({
    tier: 'gold',
    required_tops: 250.5,
    utilization: 0.25,
    duration_seconds: 30,
    memory_mb: 64,
  });
  expect(submitted).toEqual({
    quote_id: 'signed.token',
    code_hash: 'sha256-of-4-bytes',
    args: ['-n', '3'],
    input_ref: 'sha256-of-10-bytes',
    max_price_micro: '7000',
    auction_seconds: 2,
    max_wait_seconds: 45,
    allow_simulated: false,
  });
});

test('simulated enclaves are accepted by default on the local stack alone', async () => {
  expect((await cli(runArgs(), { isLocalStack: false })).submitted).toMatchObject({ allow_simulated: false });
  const asked = await cli(runArgs('--allow-simulated'), { isLocalStack: false });
  expect(asked.submitted).toMatchObject({ allow_simulated: true });
});

test('values out of bounds go to the server, whose rule names them; values of no form do not', async () => {
  expect((await cli(runArgs('--utilization', '1.2'))).calls[0]?.[1]).toMatchObject({ utilization: 1.2 });
  for (const [option, value] of [
    ['--tops', 'many'],
    ['--utilization', ''],
    ['--auction-seconds', '1.5'],
    ['--max-wait', '1.5'],
    ['--max-price', '-1'],
    ['--memory-mb', '1e3'],
  ] as const) {
    const { code, err, calls } = await cli(runArgs(option, value));
    expect([code, calls]).toEqual([EXIT.refused, []]);
    expect(err).toContain(option);
  }
});

test('a run prints timeline, result, price, members, proof and label', async () => {
  const { code, out, err } = await cli(runArgs(), { jobs: [jobIn('auctioning'), jobIn('running'), job()] });
  expect(code).toBe(EXIT.ok);
  for (const part of [
    'settled after',
    'job.submitted',
    OUTPUT,
    '15000 micro-units',
    'proof-1',
    'provider-2',
    'simulated',
  ]) {
    expect(out).toContain(part);
  }
  expect(err).toContain('Sealed auction');
});

test('a run with --json prints one object and nothing else', async () => {
  const { out, code, calls } = await cli(runArgs('--json'));
  expect(code).toBe(EXIT.ok);
  expect(out.trimEnd().split('\n')).toHaveLength(1);
  expect(Object.keys(JSON.parse(out))).toEqual([
    'job_id',
    'state',
    'exit_code',
    'output_sha256',
    'price_micro',
    'members',
    'proof_id',
    'position',
  ]);
  expect(calls.map(([method]) => method)).not.toContain('download');
});

test('the output goes to a file, or raw to standard output with the report elsewhere', async () => {
  const file = join(folder, 'result');
  const toFile = await cli(runArgs('--output', file, '--json'));
  expect(readFileSync(file, 'utf8')).toBe(OUTPUT);
  expect(JSON.parse(toFile.out).output_sha256).toBe(OUTPUT_SHA256);
  const raw = await cli(runArgs('--output', '-'));
  expect(raw.out).toBe(OUTPUT);
  expect(raw.err).toContain('15000 micro-units');
});

test('a module that exits with a code settles: the code is printed, the command succeeds', async () => {
  const { code, out } = await cli(runArgs(), { jobs: [job({ exit_code: 3 })] });
  expect(code).toBe(EXIT.ok);
  expect(out).toContain('Exit code  3');
});

test('a job that fails ends with 1 and tells why, with --json too', async () => {
  const failed = jobIn('failed', { reason: 'TIME_LIMIT_EXCEEDED', message: 'ran for 60 s' });
  for (const more of [[], ['--json']]) {
    const { code, out, err } = await cli(runArgs(...more), { jobs: [jobIn('running'), failed] });
    expect(code).toBe(EXIT.failed);
    expect(err).toContain(`Job ${JOB_ID} failed: TIME_LIMIT_EXCEEDED: ran for 60 s`);
    expect(out).toContain('failed');
  }
});

test('a run that does not wait ends with the accepted job', async () => {
  const jobs = [jobIn('auctioning')];
  const { out, code, calls } = await cli(runArgs('--no-wait', '--json'), { jobs });
  expect(code).toBe(EXIT.ok);
  expect(JSON.parse(out)).toMatchObject({
    job_id: JOB_ID,
    state: 'auctioning',
    members: [],
    price_micro: null,
  });
  expect(calls.filter(([method]) => method === 'status')).toHaveLength(1);
  expect((await cli(runArgs('--no-wait'), { jobs })).out).toContain(`job show ${JOB_ID}`);
});

test('files that cannot be read are named before anything is sent', async () => {
  const missing = join(folder, 'missing');
  for (const args of [runArgs('--input', missing), ['job', 'run', '--wasm', missing, '--tier', 'gold']]) {
    const { code, err, calls } = await cli(args);
    expect([code, calls]).toEqual([EXIT.refused, []]);
    expect(err).toMatch(/--(input|wasm) .*missing: no such file/);
  }
  expect((await cli(runArgs('--input', folder))).err).toContain('is a folder');
  const large = join(folder, 'large');
  writeFileSync(large, '');
  truncateSync(large, 64 * 1024 * 1024 + 1);
  expect((await cli(runArgs('--input', large))).err).toMatch(/--input .*large: at most 64 MiB/);
});

test('an output that cannot be written is refused before anything is paid for; an old one stays until then', async () => {
  const { code, err, calls } = await cli(runArgs('--output', join(folder, 'missing', 'file')));
  expect([code, calls]).toEqual([EXIT.refused, []]);
  expect(err).toContain('no such file');
  const old = join(folder, 'old');
  writeFileSync(old, 'before');
  await cli(runArgs('--output', old), { jobs: [jobIn('failed', { reason: 'RESULT_DISAGREEMENT' })] });
  expect(readFileSync(old, 'utf8')).toBe('before');
});

test('standard input can be the input, not module and input at once', async () => {
  const { submitted } = await cli(runArgs('--input', '-'), { stdin: 'piped' });
  expect(submitted).toMatchObject({ input_ref: 'sha256-of-5-bytes' });
  for (const args of [
    ['job', 'run', '--wasm', '-', '--input', '-', '--tier', 'gold'],
    runArgs('--json', '--output', '-'),
    runArgs('--no-wait', '--output', 'x'),
  ]) {
    expect(await cli(args)).toMatchObject({ code: EXIT.refused, calls: [] });
  }
});

test('a run that is interrupted says that its job goes on', async () => {
  const interrupt: CliContext['interruptible'] = async (work, message) => {
    await work;
    throw new CliError(message(), EXIT.interrupted);
  };
  const { code, err, out } = await cli(runArgs(), { interrupt });
  expect(code).toBe(EXIT.interrupted);
  expect(err).toContain(`the job goes on: npx aivillage job show ${JOB_ID}`);
  expect(out).toBe('');
});

test('job show and job list print what there is, as text and as JSON', async () => {
  const shown = await cli(['job', 'show', JOB_ID]);
  expect(shown.out).toContain('Timeline');
  expect(JSON.parse((await cli(['job', 'show', JOB_ID, '--json'])).out)).toMatchObject({ job_id: JOB_ID });
  const failed = jobIn('failed', { reason: 'QUORUM_NOT_ACHIEVED', message: 'have 2, need 3' });
  expect((await cli(['job', 'show', JOB_ID], { jobs: [failed] })).code).toBe(EXIT.ok);
  expect(JSON.parse((await cli(['job', 'list', '--json'])).out)).toStrictEqual({
    items: [{ job_id: JOB_ID, state: 'settled' }],
  });
  expect((await cli(['job', 'list'])).out).toMatch(/^job-\S+ {2}settled {2}gold/);
  expect((await cli(['job', 'list'], { jobs: [] })).out).toBe('No jobs yet\n');
});

test('audits are handed on with their arguments, and their exit code comes back', async () => {
  const handed = async (...args: string[]) => {
    const { audits, code } = await cli(['audit', ...args]);
    expect(code).toBe(1);
    return audits[0]?.join(' ');
  };
  expect(await handed('check', '--json')).toBe('check --json');
  expect(await handed('replay', 'ledger-main', '--at', '12')).toBe('replay --at 12 -- ledger-main');
  expect(await handed('replay', JOB_ID, '--json')).toBe(`replay --json -- ${JOB_ID}`);
  expect(await handed('rebuild', 'jobs', 'trust')).toBe('rebuild -- jobs trust');
  expect(await handed('rebuild', '--until', '99')).toBe('rebuild --until 99 --');
  expect(await handed('status')).toBe('status');
  expect(await handed('retry', 'jobs')).toBe('retry jobs');
  expect(await handed('retry', 'jobs', 'job-1')).toBe('retry jobs job-1');
});

test('a command line that makes no sense ends with 2 and sends nothing; help ends with 0', async () => {
  for (const args of [
    ['jobs'],
    ['job', 'show'],
    ['job', 'run', '--wasm', wasm],
    ['audit', 'replay', 'x', '--at', '-1'],
  ]) {
    expect(await cli(args)).toMatchObject({ code: EXIT.refused, calls: [], audits: [], out: '' });
  }
  const help = await cli(['job', 'run', '--help']);
  expect(help.code).toBe(EXIT.ok);
  expect(help.out).toContain('--auction-seconds');
  expect((await cli([])).code).toBe(EXIT.ok);
});

test('a failure for the user is its message; a defect is not swallowed', async () => {
  const stderr = new PassThrough();
  let code: number = EXIT.ok;
  const context = (error: Error): CliContext => ({
    stdin: (async function* () {})(),
    stdout: new PassThrough(),
    stderr: stderr as unknown as NodeJS.WriteStream,
    engine: async () => {
      throw error;
    },
    audit: async () => 0,
    recover: async () => 0,
    interruptible: (work) => work,
    exit: (given) => {
      code = given;
    },
  });
  await runCli(['job', 'list'], context(refuse('no credentials')));
  expect(code).toBe(EXIT.refused);
  stderr.end();
  expect(await text(stderr)).toBe('no credentials\n');
  await expect(runCli(['job', 'list'], context(new TypeError('a defect')))).rejects.toThrow('a defect');
});
