import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LEDGER_STREAM } from '../../domain/ledger/events.ts';
import { type Ledger, total } from '../../domain/ledger/fold.ts';
import type { CommandOutcome } from '../../domain/ports/lifecycles.ts';
import { foldedState, foldStream } from '../../domain/registry.ts';
import { recoverLifecycles } from '../../infra/temporal/recover.ts';
import { type CommandCase, commandCases, SUBMITTER } from '../support/commands/cases.ts';
import { silentEffects, tellGiven } from '../support/commands/given.ts';
import { type Engine, metaOf, now, startEngine } from '../support/engine.ts';
import { temporalAddress } from '../support/temporal.ts';

const KILLED_WORKER = fileURLToPath(new URL('./killed-worker.ts', import.meta.url));
const run = randomBytes(6).toString('hex');
const cases = commandCases(run, now());

let engine: Engine;
/** What each caller was told by the command whose worker died. */
let told: Promise<ReadonlyMap<string, CommandOutcome>>;

const metaFor = ({ stream, command, actor }: CommandCase) =>
  metaOf(`command-${command.type}-${stream}`, actor);

const send = (each: CommandCase): Promise<CommandOutcome> => {
  const { stream, command, given } = each;
  const aggregate = stream.slice(0, stream.indexOf('-'));
  return given
    ? engine.lifecycles.execute(stream, command, metaFor(each))
    : engine.lifecycles.open(aggregate, stream, command, metaFor(each));
};

beforeAll(async () => {
  const started = await startEngine({ activities: silentEffects });
  engine = started;
  for (const owner of [SUBMITTER, 'owner-1']) await engine.fund(owner, 10_000_000n);
  for (const each of cases) await tellGiven(engine, each, now());
  const { asked } = await engine.withoutWorker(async () => {
    await recoverLifecycles(engine);
    const commandIds = cases.map((each) => metaFor(each).commandId);
    const args = [
      KILLED_WORKER,
      started.databaseUrl,
      await temporalAddress(),
      engine.taskQueue,
      ...commandIds,
    ];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    const answers = Promise.all(cases.map(async (each) => [each.name, await send(each)] as const));
    expect(await once(child, 'exit')).toEqual([null, 'SIGKILL']);
    return { asked: answers };
  });
  told = asked.then((answers) => new Map(answers));
});
afterAll(() => engine?.stop());

test.each(cases.map((each) => [each.name, each] as const))(
  'the worker is killed between commit and answer of %s: the caller is told what happened, and again the same',
  async (name, each) => {
    const { stream } = each;
    const { commandId } = metaFor(each);
    const [decided, ...others] = await engine.store.findCommands(stream, [commandId]);
    expect(others).toEqual([]);
    const events = await engine.store.readStream(stream);
    // One effect: no other event of the stream has this cause.
    expect(events.filter(({ causationId }) => causationId === commandId)).toEqual(decided?.events);

    const upTo = events.slice(0, Number(decided?.revision) + 1);
    const answer = {
      ok: true,
      position: String(decided?.position),
      revision: String(decided?.revision),
      state: foldedState(foldStream(stream, upTo)),
    };
    expect((await told).get(name)).toEqual(answer);
    expect(await send(each)).toEqual(answer);
    expect(await engine.store.readStream(stream, { to: decided?.revision ?? 0n })).toEqual(upTo);
  },
);

test('the workflows go on from what is in the log, and no money is made', async () => {
  for (const each of cases) {
    const events = await engine.store.readStream(each.stream);
    const view = await engine.lifecycles.inspect(each.stream);
    const folded = foldStream(each.stream, events.slice(0, Number(view?.revision) + 1));
    expect(view, each.name).toMatchObject({ value: folded.value, context: folded.context });
  }
  const ledger = foldStream(LEDGER_STREAM, await engine.store.readStream(LEDGER_STREAM)).context as Ledger;
  expect(total(ledger)).toBe(0n);
});
