import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCli } from '../support/cli.ts';
import { type Caller, signInOperator } from './support/principals.ts';
import { type SharedStack, sharedStack } from './support/shared-stack.ts';

let stack: SharedStack;
let folder: string;
let operator: Caller;
beforeAll(async () => {
  stack = await sharedStack();
  folder = await mkdtemp(join(tmpdir(), 'aivillage-zk-e2e-'));
  operator = await signInOperator(stack);
});
afterAll(() => rm(folder, { recursive: true }));

const file = (name: string): string => join(folder, name);

const zk = async (...args: readonly string[]): Promise<string> => {
  const { code, stdout, stderr } = await runCli(stack.home, ['zk', ...args]);
  expect({ code, stderr: stderr.replace(/^circuit: (compiling|setting-up)\n/gm, '') }).toEqual({
    code: 0,
    stderr: '',
  });
  return stdout;
};

const request = (name: string, predicate: string) =>
  zk(
    ...['request', '--predicate', predicate, '--issuer', file('issuer.json'), '--scope', 'e2e'],
    ...['--output', file(name)],
  );

test('R50, R53: asked, set up by the worker, proved at home, accepted once', async () => {
  await zk('credential', 'new-issuer', file('issuer.json'));
  const commitment = await zk('credential', 'new-holder', file('holder.json'));
  await writeFile(file('values.json'), JSON.stringify({ age: 52, country: 'IT', trust: '0.75' }));
  await zk(
    ...['credential', 'issue', '--issuer', file('issuer.json'), '--holder', commitment.trim()],
    ...['--values', file('values.json'), '--output', file('credential.json')],
  );

  // Two verifiers at the same moment, with other thresholds: one circuit, one set-up.
  await Promise.all([request('request.json', 'age >= 18'), request('other.json', 'age >= 65')]);
  const [asked, other] = await Promise.all(
    ['request.json', 'other.json'].map(async (name) => JSON.parse(await readFile(file(name), 'utf8'))),
  );
  expect(other).toMatchObject({ circuit_id: asked.circuit_id, key_hash: asked.key_hash });
  const { body } = await operator.rest.get<{ predicates: readonly { predicate_id: string }[] }>(
    `/v1/fog/zk/predicates?circuit_id=${asked.circuit_id}`,
  );
  expect(body.predicates).toMatchObject([{ state: 'ready', setup: 'single-party-development' }]);
  const { predicate_id: stream } = body.predicates[0] as { predicate_id: string };
  const replayed = await runCli(stack.home, ['audit', 'replay', stream, '--json']);
  expect(replayed.code).toBe(0);
  expect(JSON.parse(replayed.stdout)).toMatchObject({ revision: 2, value: 'ready' });

  const prove = ['prove', '--credential', file('credential.json'), '--holder', file('holder.json')];
  await zk(...prove, '--request', file('request.json'), '--output', file('proof.json'));
  expect(await zk('verify', file('proof.json'))).toMatch(/^accepted: age >= 18\n/);
  const again = await runCli(stack.home, ['zk', 'verify', file('proof.json')]);
  expect(again).toMatchObject({ code: 1, stdout: 'refused: nullifier_used\n' });
  const tooYoung = await runCli(stack.home, ['zk', ...prove, '--request', file('other.json')]);
  expect(tooYoung).toMatchObject({
    code: 2,
    stderr: 'this cannot be proved\n  predicate: one that the credential fulfils\n',
  });
});

test('R53: no route takes a secret unless it is switched on', async () => {
  expect((await operator.rest.post('/v1/fog/zk/prove', { secret: '1' })).status).toBe(404);
});
