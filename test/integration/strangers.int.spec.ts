import { randomBytes } from 'node:crypto';
import { WorkflowFailedError } from '@temporalio/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { OpenAuction } from '../../domain/auction/commands.ts';
import { toMicro } from '../../domain/money.ts';
import type { Command } from '../../domain/ports/lifecycles.ts';
import { FORGED_FAILURE } from '../../domain/ports/seals.ts';
import { keepSchedule } from '../../infra/temporal/keep-schedule.ts';
import { recoverLifecycles } from '../../infra/temporal/recover.ts';
import { silentEffects } from '../support/commands/given.ts';
import { newJob } from '../support/commands/whole-job.ts';
import { type Engine, metaOf, startEngine } from '../support/engine.ts';
import { arriveAtTemporal, type Stranger } from '../support/stranger.ts';

let stranger: Stranger;
let engine: Engine;

beforeAll(async () => {
  engine = await startEngine({ activities: silentEffects });
  stranger = await arriveAtTemporal();
});
afterAll(async () => {
  await engine.stop();
  await stranger.close();
});

const WAIT = { timeout: 20_000 };
const CANCEL = { type: 'cancel', reason: 'no longer wanted' } as Command;
const typesOf = async (stream: string) => (await engine.store.readStream(stream)).map(({ type }) => type);

const openCommand = (): OpenAuction => ({
  type: 'open',
  auctionId: `auction-${randomBytes(8).toString('hex')}`,
  submitter: 'subject-submitter',
  jobId: 'job-1',
  quoteId: 'quote',
  tier: 'bronze',
  tierTableVersion: 1,
  requiredTops: 500,
  utilization: 0.8,
  durationSeconds: 60,
  ceiling: toMicro(1_000_000n),
  auctionSeconds: 600,
  seed: randomBytes(32).toString('hex'),
});

const open = async (aggregate: 'auction' | 'job', stream: string, command: Command): Promise<void> => {
  const opened = await engine.lifecycles.open(aggregate, stream, command, metaOf(`${stream}/open`));
  expect(opened).toMatchObject({ ok: true });
};

const openAuction = async (change: Partial<OpenAuction> = {}): Promise<string> => {
  const command = { ...openCommand(), ...change };
  await open('auction', command.auctionId, command);
  return command.auctionId;
};

/** The victim lives: its log holds what it decided itself and nothing else, and it obeys whom it should. */
const livesOn = async (auctionId: string, types: readonly string[] = ['auction.opened']): Promise<void> => {
  expect(await typesOf(auctionId)).toEqual(types);
  const outcome = await engine.lifecycles.execute(auctionId, CANCEL, metaOf(`${auctionId}/cancel`));
  expect(outcome).toMatchObject({ ok: true });
};

const REFUSED = { cause: { type: FORGED_FAILURE } };

test('starts nothing: not with a command of its own, nor without any', async () => {
  const command = openCommand();
  const { auctionId } = command;
  const meta = metaOf(`${auctionId}/open`);
  for (const args of [[{ stream: auctionId, version: 2, open: { command, meta } }], []]) {
    const { taskQueue } = engine;
    const handle = await stranger.client.workflow.start('auction', {
      workflowId: auctionId,
      taskQueue,
      args,
    });
    await expect(handle.result()).rejects.toThrow(WorkflowFailedError);
    expect(await typesOf(auctionId)).toEqual([]);
  }
  // The place is not taken from whom it belongs to.
  await open('auction', auctionId, command);
  await livesOn(auctionId);
});

test('commands nothing in its own words', async () => {
  const auctionId = await openAuction();
  const handle = stranger.client.workflow.getHandle(auctionId);
  const own: unknown[] = [CANCEL, metaOf('a stranger')];
  for (const args of [own, [], [null, null], own.slice(0, 1)])
    await expect(
      handle.executeUpdate('command', { updateId: 'a stranger', args: args as [] }),
    ).rejects.toMatchObject(REFUSED);
  await livesOn(auctionId);
});

test('commands nothing in words it has overheard: not anew, not elsewhere, not put together', async () => {
  const auctionId = await openAuction();
  await engine.sealing.createKey(auctionId);
  for (const index of [0, 1]) {
    const bidder = await engine.provider(index, 'cloud_aws');
    const bidId = `bid-${index}-${auctionId}`;
    const command = { type: 'place-bid', bidId, ...bidder, sealed: 'ab' };
    const placed = await engine.lifecycles.execute(auctionId, command, metaOf(bidId, bidder.owner));
    expect(placed).toMatchObject({ ok: true });
  }
  const types = ['auction.opened', 'auction.bid-placed', 'auction.bid-placed'];
  const [, first = [], second = []] = await stranger.overheard(auctionId);
  const [command, meta] = [first[0], second[1]].map((payload) => payload ?? {});

  const refused = { applicationFailureInfo: { type: FORGED_FAILURE } };
  // In the words of the first, in the name of the second.
  expect(await stranger.say(auctionId, 'mixed', [command ?? {}, meta ?? {}])).toMatchObject(refused);
  expect(await stranger.say(auctionId, 'once more', first)).toMatchObject(refused);
  expect(await stranger.say(auctionId, 'longer', [...first, ...second])).toMatchObject(refused);
  const other = await openAuction();
  expect(await stranger.say(other, `bid-0-${auctionId}`, first)).toMatchObject(refused);
  await livesOn(other);
  await livesOn(auctionId, types);
});

test('tells nothing: not in its own words, nor in those of a command, nor in what was told and refused', async () => {
  const dear = toMicro(150_000_000n);
  const auctionId = await openAuction({ ceiling: dear });
  await engine.sealing.createKey(auctionId);
  const bid = async (index: number) => {
    const bidder = await engine.provider(index, 'cloud_aws');
    return { type: 'place-bid', bidId: `bid-${index}-${auctionId}`, ...bidder, sealed: 'ab' };
  };
  const handle = stranger.client.workflow.getHandle(auctionId);
  await handle.signal('tell', CANCEL, metaOf('a stranger'), 'told');
  await handle.signal('tell');
  await handle.signal('tell', null, null, null);

  // A command that was refused for want of money must not come true when there is some.
  const [asked, told] = [await bid(0), await bid(1)];
  for (const each of [asked, told]) {
    const meta = metaOf(each.bidId, each.owner);
    if (each === asked)
      expect(await engine.lifecycles.execute(auctionId, each, meta)).toMatchObject({
        code: 'INSUFFICIENT_BALANCE',
      });
    else await engine.lifecycles.tell(auctionId, each, meta);
    // A query stands behind the signals.
    expect(await engine.lifecycles.inspect(auctionId)).toMatchObject({ revision: '0' });
    await engine.fund(each.owner, BigInt(dear));
  }
  await expect.poll(() => stranger.overheardSignals(auctionId, 'tell'), WAIT).toHaveLength(4);
  for (const said of [
    ...(await stranger.overheard(auctionId)),
    ...(await stranger.overheardSignals(auctionId, 'tell')),
  ])
    await stranger.signal(auctionId, 'tell', said);
  expect(await engine.lifecycles.inspect(auctionId)).toMatchObject({ running: true });
  expect(await typesOf(auctionId)).toEqual(['auction.opened']);
  // Told anew by whom it obeys, it is obeyed; and one that nobody runs any more hears nothing.
  await engine.lifecycles.tell(auctionId, told, metaOf(`${told.bidId}/2`, told.owner));
  await expect.poll(() => typesOf(auctionId), WAIT).toEqual(['auction.opened', 'auction.bid-placed']);
  await livesOn(auctionId, ['auction.opened', 'auction.bid-placed']);
  await engine.client.workflow.getHandle(auctionId).result();
  await engine.lifecycles.tell(auctionId, CANCEL, metaOf('too late'));
});

test('reports nothing to a parent in the name of its child', async () => {
  const command = await newJob(engine, { auctionSeconds: 600 });
  const { jobId, auctionId } = command;
  await open('job', jobId, command);
  await expect.poll(() => typesOf(jobId), WAIT).toContain('job.auction-opened');
  const before = await typesOf(jobId);
  const handle = stranger.client.workflow.getHandle(jobId);
  const failure = { reason: 'AUCTION_FAILED', message: 'says a stranger' };
  const report = { aggregate: 'auction', stream: auctionId, revision: 7, rejection: null };
  await handle.signal('report', { ...report, state: 'failed', body: { failure } });
  await handle.signal('report');
  await handle.signal('report', null);
  // A query stands behind the signals.
  expect(await engine.lifecycles.inspect(jobId)).toMatchObject({ running: true });
  expect(await typesOf(jobId)).toEqual(before);
  // The job goes on as its child does.
  expect(await engine.lifecycles.execute(auctionId, CANCEL, metaOf(`${auctionId}/cancel`))).toMatchObject({
    ok: true,
  });
  await expect.poll(() => typesOf(jobId), WAIT).toContain('job.aborted');
});

test('does not cancel a lifecycle; what it terminates is recovered from the log', async () => {
  const asked = await openAuction();
  await stranger.client.workflow.getHandle(asked).cancel();
  expect(await engine.lifecycles.inspect(asked)).toMatchObject({ running: true });
  await livesOn(asked);

  // Nothing inside a workflow can prevent this: Temporal itself does it, for whoever reaches it.
  const auctionId = await openAuction();
  await stranger.client.workflow.getHandle(auctionId).terminate('says a stranger');
  await recoverLifecycles(engine);
  await livesOn(auctionId);
});

test('keeps no schedule: one of its own gives way', async () => {
  const scheduleId = `schedule-${randomBytes(8).toString('hex')}`;
  const workflowId = `${scheduleId}-run`;
  const { taskQueue, client } = engine;
  const theirs = { everySeconds: 1, of: 'a stranger' };
  await stranger.client.schedule.create({
    scheduleId,
    spec: { intervals: [{ every: '1 hour' }] },
    action: { type: 'startWorkflow', workflowType: 'openEpochs', workflowId, args: [theirs], taskQueue },
  });
  const ours = { everySeconds: 3600, of: 'the engine' };
  const kept = () =>
    keepSchedule(client, {
      scheduleId,
      everySeconds: 3600,
      workflowType: 'openEpochs',
      workflowId,
      args: [ours],
      taskQueue,
      catchupWindow: '1 minute',
      atOnce: false,
    });
  await kept();
  await kept();
  const handle = client.schedule.getHandle(scheduleId);
  expect((await handle.describe()).action).toMatchObject({ args: [ours] });
  await handle.delete();
});
