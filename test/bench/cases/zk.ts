import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { pippenger } from '@noble/curves/abstract/curve.js';
import { bn254 } from '@noble/curves/bn254.js';
import { usageOf } from '../../../infra/sandbox/process-usage.ts';
import { verifyPredicate } from '../../../infra/verify/index.ts';
import { createWallet } from '../../../infra/zk/prove.ts';
import type { ToolProcess } from '../../../infra/zk/tool-process.ts';
import { openZk } from '../../support/zk/circuit.ts';
import { SAMPLE, SAMPLE_NOW } from '../../support/zk/sample.ts';
import { type Case, cpuTime, type Timed } from '../harness.ts';

const UNIT = 'CPU ms';
const SAMPLE_MS = 300;
const BARE = fileURLToPath(new URL('../bare/snarkjs.ts', import.meta.url));

/** CPU time of another process with all its threads, ms. */
const cpuOf = (pid: number): number => usageOf(pid)?.cpuMs ?? Number.NaN;

/** CPU time of `work` in this process and in `pid` together. */
const cpuOfBoth = async (pid: number, work: () => Promise<unknown>): Promise<Timed> => {
  const [start, before, other] = [performance.now(), process.cpuUsage(), cpuOf(pid)];
  await work();
  const { user, system } = process.cpuUsage(before);
  return {
    value: (user + system) / 1000 + cpuOf(pid) - other,
    wallMs: performance.now() - start,
  };
};

/** Bare snarkjs in a process of its own, which is where it has to live. */
const openBare = async (task: object) => {
  const child = fork(BARE, { serialization: 'advanced', execArgv: ['--no-warnings'] });
  const ask = async (message: object | string): Promise<void> => {
    child.send(message);
    await once(child, 'message');
  };
  await ask(task);
  return { pid: child.pid as number, prove: () => ask('prove'), close: () => child.kill('SIGKILL') };
};

/** Both provers with one and the same witness to prove. */
const openProvers = async () => {
  const zk = await openZk();
  const credential = await zk.issue({ age: 30, country: 'DE', trust: '0.9' });
  const request = {
    predicate: zk.predicate,
    context: zk.context(),
    credential,
    secret: zk.secret,
    files: zk.files,
  };
  let input: object = {};
  const recording: Pick<ToolProcess, 'run'> = {
    run: (job) => {
      if (job.type === 'prove') input = job.input;
      return zk.tools.run(job);
    },
  };
  const recorded = await createWallet(recording).prove(request);
  if (!recorded.ok) throw new Error(recorded.message);
  const bare = await openBare({ ...zk.files, input });
  return {
    ours: () => cpuOfBoth(zk.tools.pid, () => zk.wallet.prove(request)),
    bare: () => cpuOfBoth(bare.pid, bare.prove),
    close: async () => {
      bare.close();
      await zk.tools.close();
    },
  };
};

/** A credential proof of 5,382 constraints: ours checks holder, expiry and predicate first, and talks to its process. */
const proveCase = (): { readonly prove: Case; close(): Promise<void> } => {
  // Its key takes half a minute when there is none yet: for those who ask for this case.
  let opened: ReturnType<typeof openProvers> | undefined;
  const provers = () => {
    opened ??= openProvers();
    return opened;
  };
  return {
    prove: {
      name: 'zk-prove',
      unit: UNIT,
      ours: async () => (await provers()).ours(),
      baseline: async () => (await provers()).bare(),
    },
    close: async () => (await opened)?.close(),
  };
};

type Numbers = readonly string[];

/** What verification consists of in bare noble: one sum of eleven multiples, four pairings with one final exponentiation. */
const bareVerify = (): (() => void) => {
  const { G1, G2 } = bn254;
  const g1 = ([x, y]: Numbers) => G1.Point.fromAffine({ x: BigInt(x as string), y: BigInt(y as string) });
  const element = ([c0, c1]: Numbers) => ({ c0: BigInt(c0 as string), c1: BigInt(c1 as string) });
  const g2 = ([x, y]: readonly Numbers[]) =>
    G2.Point.fromAffine({ x: element(x as Numbers), y: element(y as Numbers) });
  const key = SAMPLE.verificationKey as Record<string, Numbers> & { vk_beta_2: readonly Numbers[] };
  const [first, ...rest] = (key['IC'] as unknown as readonly Numbers[]).map(g1);
  const alpha = g1(key['vk_alpha_1'] as Numbers);
  const [beta, gamma, delta] = ['vk_beta_2', 'vk_gamma_2', 'vk_delta_2'].map((name) =>
    g2(key[name] as unknown as readonly Numbers[]),
  ) as [ReturnType<typeof g2>, ReturnType<typeof g2>, ReturnType<typeof g2>];
  const scalars = SAMPLE.publicInputs.map(BigInt);
  const { pi_a, pi_b, pi_c } = SAMPLE.proof;
  return () => {
    const sum = (first as ReturnType<typeof g1>).add(pippenger(G1.Point, rest, scalars));
    const product = bn254.pairingBatch([
      { g1: g1(pi_a).negate(), g2: g2(pi_b) },
      { g1: alpha, g2: beta },
      { g1: sum, g2: gamma },
      { g1: g1(pi_c), g2: delta },
    ]);
    if (!bn254.fields.Fp12.eql(product, bn254.fields.Fp12.ONE)) throw new Error('the sample does not verify');
  };
};

/** Predicate proofs beside bare snarkjs and bare noble. */
export const zkCases = (): { readonly cases: readonly Case[]; close(): Promise<void> } => {
  const { prove, close } = proveCase();
  const bare = bareVerify();
  const verify: Case = {
    name: 'zk-verify',
    unit: UNIT,
    ours: () =>
      cpuTime(SAMPLE_MS, () => {
        if (!verifyPredicate({ ...SAMPLE, now: SAMPLE_NOW }).valid)
          throw new Error('the sample does not verify');
      }),
    baseline: () => cpuTime(SAMPLE_MS, bare),
  };
  return { cases: [prove, verify], close };
};
