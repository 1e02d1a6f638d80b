import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { Agent, get } from 'node:http';
import { constants, setPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { slaProofOf } from '../../infra/verify/observed.fixture.ts';
import { removeHome } from '../support/home.ts';
import { createRest, type Rest, sha256Of } from '../support/rest.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { ATTACKS } from './strangers/attacks.ts';
import { honestUser, type Served } from './strangers/honest.ts';

/** What every attack of strangers has to leave (issue 9, show 6). */
const MOST_P99_MS = 500;
const MOST_GROWTH = 1.5;
/** How long an honest user may be put off while it lasts, ms. */
const MOST_HONEST_MS = 20_000;

const SECONDS = Number(process.env['STRANGERS_SECONDS'] ?? 10);
const ATTACKERS = 10;
const IDLE_SECONDS = 5;
const WARM_UP_SECONDS = 8;
const WARM_UP_PAUSE_MS = 800;
const WARM_UP_BYTES = 256 * 1024;
const PROBE_MS = 20;
const SAMPLE_MS = 100;
const MB = 1024 * 1024;

/** Resident memory of a process, bytes; 0 when it has ended. */
const residentOf = (pid: number): number => {
  try {
    return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
};

/** Children of a process and theirs. */
const descendantsOf = (pid: number): number[] => {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
    } catch {
      // It has ended since the folder was read.
    }
  }
  const found = [pid];
  for (const each of found) for (const [child, parent] of parents) if (parent === each) found.push(child);
  return found.slice(1);
};

interface Figures {
  readonly p99: number;
  readonly api: number;
  readonly worker: number;
  readonly tools: number;
  readonly toolsBytes: number;
}

/** Asks for liveness, and looks at memory, for so many seconds. */
const watch = async (stack: Stack, seconds: number): Promise<Figures> => {
  const agent = new Agent({ keepAlive: true });
  const ask = (): Promise<number> =>
    new Promise((resolve) => {
      const asked = performance.now();
      const took = (): void => resolve(performance.now() - asked);
      const request = get(`${stack.apiUrl}/v1/system/health/live`, { agent, timeout: 10_000 }, (response) => {
        response.resume().once('end', took);
      });
      request.once('timeout', () => request.destroy());
      // Not answered is as bad as it gets.
      request.once('error', () => resolve(10_000));
    });
  const { api = 0, worker = 0 } = stack.pids();
  const end = performance.now() + seconds * 1000;
  let most = { api: 0, worker: 0, tools: 0, toolsBytes: 0 };
  const look = async (): Promise<void> => {
    while (performance.now() < end) {
      const tools = descendantsOf(worker);
      most = {
        api: Math.max(most.api, residentOf(api)),
        worker: Math.max(most.worker, residentOf(worker)),
        tools: Math.max(most.tools, tools.length),
        toolsBytes: Math.max(
          most.toolsBytes,
          tools.reduce((sum, pid) => sum + residentOf(pid), 0),
        ),
      };
      await delay(SAMPLE_MS);
    }
  };
  const times: number[] = [];
  const probe = async (): Promise<void> => {
    while (performance.now() < end) {
      times.push(await ask());
      await delay(PROBE_MS);
    }
  };
  await Promise.all([look(), probe()]);
  agent.destroy();
  times.sort((a, b) => a - b);
  return { ...most, p99: times[Math.floor(times.length * 0.99)] ?? 10_000 };
};

/** Keys of submitters. Admins make those of attackers as well, so that these have the most that anybody may have. */
const submitters = async (stack: Stack, count: number): Promise<string[]> => {
  const rest = createRest(stack.apiUrl, { 'X-API-Key': stack.apiKey });
  const keys: string[] = [];
  for (let n = 0; n < count; n++) {
    const made = await rest.post<{ api_key: string }>('/v1/subjects', { roles: ['submitter'] });
    if (made.status !== 201) throw new Error(`no submitter: ${made.status}`);
    keys.push(made.body.api_key);
  }
  return keys;
};

/** Waits for the end of the minute of which the attack before has spent all requests. */
const untilAdmitted = async (rest: Rest): Promise<void> => {
  for (;;) {
    const { status, headers } = await rest.get('/v1/fog/scheduler/queue');
    if (status !== 429) return;
    await delay(Number(headers.get('retry-after')) * 1000);
  }
};

/**
 * What users do, for a few seconds: an API that has just started is smaller than one that only has nothing to do, whose
 * code is compiled and whose thread for proofs is there, and which has stored something.
 */
const warmUp = async (stack: Stack, keys: readonly string[]): Promise<void> => {
  await Promise.all(keys.map((key) => untilAdmitted(createRest(stack.apiUrl, { 'X-API-Key': key }))));
  const up = [{ state: 'up', count: 1000 } as const];
  const proof = slaProofOf([up, up, up]);
  const end = performance.now() + WARM_UP_SECONDS * 1000;
  const user = async (key: string): Promise<void> => {
    const rest = createRest(stack.apiUrl, { 'X-API-Key': key });
    while (performance.now() < end) {
      const { status } = await rest.post('/v1/fog/proofs/verify', { proof });
      if (status !== 200) throw new Error(`an honest proof got ${status}`);
      const bytes = randomBytes(WARM_UP_BYTES);
      const stored = await rest.store(bytes);
      if (stored.status !== 200) throw new Error(`an honest upload got ${stored.status}`);
      await rest.delete(`/v1/artifacts/${sha256Of(bytes)}`);
      for (const path of ['/v1/fog/scheduler/queue', '/v1/system/health/live']) await rest.get(path);
      await delay(WARM_UP_PAUSE_MS);
    }
  };
  await Promise.all(keys.map(user));
};

const mb = (bytes: number): string => `${Math.round(bytes / MB)} MB`;

/**
 * Attacks a whole local stack as rows 10 and 14 of issue 9 did, one attack after the other, `STRANGERS_SECONDS` each (10
 * unless set), and prints what it did to liveness and memory.
 * @throws Error when an attack does more than it may.
 */
export const run = async (): Promise<void> => {
  const home = await mkdtemp(join(tmpdir(), 'aivillage-strangers-'));
  const stack = await startStack(home, { sample: true });
  const broken: string[] = [];
  try {
    const [own = '', ...keys] = await submitters(stack, ATTACKERS + 1);
    console.log(
      `attack                    liveness p99   API (to idle)    worker           tools       uploads and proofs of an honest user   (${SECONDS} s each)`,
    );
    const row = (
      name: string,
      { p99, api, worker, tools, toolsBytes }: Figures,
      idle: Figures,
      honest: Awaited<ReturnType<typeof honestUser>>,
    ): void => {
      const served = ({ done, refused, longestMs }: Served): string =>
        `${done} (${refused} refusals, at most ${(longestMs / 1000).toFixed(1)} s)`;
      const grown = (bytes: number, before: number): string =>
        `${mb(bytes)} (${(bytes / before).toFixed(2)}×)`.padEnd(17);
      console.log(
        `${name.padEnd(26)}${`${p99.toFixed(0)} ms`.padEnd(15)}${grown(api, idle.api)}${grown(worker, idle.worker)}${`${tools} (${mb(toolsBytes)})`.padEnd(12)}${served(honest.uploads)}, ${served(honest.proofs)}`,
      );
      if (p99 >= MOST_P99_MS) broken.push(`${name}: liveness p99 ${p99.toFixed(0)} ms`);
      if (api >= MOST_GROWTH * idle.api) broken.push(`${name}: API ${(api / idle.api).toFixed(2)} × idle`);
      if (worker >= MOST_GROWTH * idle.worker)
        broken.push(`${name}: worker ${(worker / idle.worker).toFixed(2)} × idle`);
      for (const [kind, { longestMs }] of Object.entries(honest))
        if (longestMs >= MOST_HONEST_MS)
          broken.push(`${name}: one of the ${kind} of an honest user took ${Math.round(longestMs / 1000)} s`);
    };
    const only = process.env['STRANGERS_ONLY'];
    for (const name of Object.keys(ATTACKS).filter((each) => only === undefined || each.includes(only))) {
      const means = JSON.stringify({ apiUrl: stack.apiUrl, keys });
      // A fresh API each time: allocators keep what an earlier attack made them take.
      const back = stack.waitFor(/^api is up again/m, { fromNow: true });
      stack.kill('api');
      await back;
      await warmUp(stack, keys);
      const idle = await watch(stack, IDLE_SECONDS);
      const attacker = spawn(
        process.execPath,
        [join(import.meta.dirname, 'strangers', 'attacker.ts'), name, means],
        {
          stdio: ['ignore', 'ignore', 'inherit'],
        },
      );
      // Strangers have machines of their own: theirs must not take ours from what they attack.
      setPriority(attacker.pid as number, constants.priority.PRIORITY_BELOW_NORMAL);
      try {
        const end = performance.now() + SECONDS * 1000;
        const [figures, honest] = await Promise.all([
          watch(stack, SECONDS),
          honestUser(stack.apiUrl, own, end),
        ]);
        row(name, figures, idle, honest);
      } finally {
        attacker.kill('SIGKILL');
      }
    }
  } finally {
    await stack.stop();
    await removeHome(home);
  }
  if (broken.length > 0) throw new Error(`beyond what strangers may do:\n${broken.join('\n')}`);
};
