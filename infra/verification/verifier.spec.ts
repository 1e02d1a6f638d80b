import { afterEach, expect, it } from 'vitest';
import { verifySlaProof } from '../verify/index.ts';
import { slaProofOf } from '../verify/observed.fixture.ts';
import type { Question } from './question.ts';
import { createVerifier, type Verifier, type VerifierOptions } from './verifier.ts';

const context = { now: '2026-02-01T00:00:00.000Z' };
const up = [{ state: 'up', count: 1000 } as const];
const PROOF = slaProofOf([up, up, up]);

const open: Verifier[] = [];
const verifierOf = (options?: VerifierOptions): Verifier => {
  const verifier = createVerifier(options);
  open.push(verifier);
  return verifier;
};
afterEach(() => Promise.all(open.splice(0).map((verifier) => verifier.close())));

/** A proof of as many reports: the three of the sample over and over, each with a signature to check. */
const withReports = (count: number): Question => ({
  kind: 'sla',
  proof: { ...PROOF, reports: Array.from({ length: count }, (_, n) => PROOF.reports[n % 3]) },
  context,
});

it('comes to the verdict of the library, also of what is no proof, and of each kind', async () => {
  const { verify } = verifierOf();
  const verdict = await verify('subject-a', { kind: 'sla', proof: PROOF, context });
  expect(verdict).toEqual({ ok: true, value: verifySlaProof(PROOF, context) });
  expect(verdict).toMatchObject({ value: { valid: true } });
  for (const proof of [null, [], 'x', { reports: 7, rounds: [null] }]) {
    for (const question of [
      { kind: 'sla', proof, context },
      { kind: 'availability', proof, context: { ...context, heads: [] } },
      { kind: 'execution', proof, context: { ...context, roots: [] } },
    ] as const)
      expect(await verify('subject-a', question)).toMatchObject({ ok: true, value: { valid: false } });
  }
});

it('lets the event loop go on meanwhile', async () => {
  const { verify } = verifierOf();
  let isDone = false;
  const verdict = verify('subject-a', withReports(64)).finally(() => {
    isDone = true;
  });
  let turns = 0;
  while (!isDone) {
    await new Promise((resolve) => setImmediate(resolve));
    turns += 1;
  }
  expect(await verdict).toMatchObject({ ok: true });
  expect(turns).toBeGreaterThan(10);
});

it('takes so many reports a proof, so many proofs at once and so many signatures a minute', async () => {
  const { verify } = verifierOf({ budget: 216 });
  expect(await verify('subject-a', withReports(65))).toMatchObject({
    code: 'INVALID_REQUEST',
    errors: [{ field: 'proof.reports', rule: 'at most 64 reports' }],
  });
  const rounds = Array.from({ length: 64 }, () => ({ receipts: new Array<null>(8).fill(null) }));
  expect(
    await verify('subject-a', {
      kind: 'availability',
      proof: { rounds },
      context: { ...context, heads: [] },
    }),
  ).toMatchObject({ code: 'INVALID_REQUEST', errors: [{ field: 'proof.rounds' }] });

  const atOnce = await Promise.all(Array.from({ length: 10 }, () => verify('subject-a', withReports(3))));
  expect(atOnce.map((verdict) => (verdict.ok ? 'verified' : verdict.code))).toEqual([
    ...new Array<string>(8).fill('verified'),
    ...new Array<string>(2).fill('RATE_LIMIT_EXCEEDED'),
  ]);
  for (let n = 0; n < 2; n++) expect(await verify('subject-a', withReports(63))).toMatchObject({ ok: true });
  expect(await verify('subject-a', withReports(63))).toMatchObject({ code: 'RATE_LIMIT_EXCEEDED' });
  expect(await verify('subject-b', withReports(63))).toMatchObject({ ok: true });
});

it('who has one proof gets it verified, however many others have waiting', async () => {
  const { verify } = verifierOf();
  const others = ['a', 'b', 'c'].flatMap((name) =>
    Array.from({ length: 8 }, () => verify(`subject-${name}`, withReports(3))),
  );
  expect(await verify('subject-own', withReports(3))).toMatchObject({ ok: true });
  const codes = (await Promise.all(others)).map((verdict) => (verdict.ok ? 'verified' : verdict.code));
  // One has its turn, fifteen wait.
  expect(codes.filter((code) => code === 'verified')).toHaveLength(15);
  expect(codes.filter((code) => code === 'RESOURCE_UNAVAILABLE')).toHaveLength(9);
});

it('a thread that breaks down fails the proof at hand, and the next one gets another', async () => {
  const program = new URL(
    `data:text/javascript,import { parentPort } from 'node:worker_threads';
     parentPort.once('message', ({ proof }) => proof ? process.exit(1) : parentPort.postMessage('judged'))`,
  );
  const { verify } = verifierOf({ program });
  await expect(verify('subject-a', { kind: 'sla', proof: 1, context })).rejects.toThrow('ended');
  expect(await verify('subject-a', { kind: 'sla', proof: 0, context })).toEqual({
    ok: true,
    value: 'judged',
  });
});
