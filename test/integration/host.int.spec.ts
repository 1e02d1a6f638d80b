import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Auction } from '../../domain/auction/auction.ts';
import type { OpenAuction } from '../../domain/auction/commands.ts';
import type { BidPlaced, OpenedBid } from '../../domain/auction/events.ts';
import { movements } from '../../domain/auction/movements.ts';
import { account, LEDGER_STREAM } from '../../domain/ledger/events.ts';
import { balanceOf, type Ledger } from '../../domain/ledger/fold.ts';
import { toMicro } from '../../domain/money.ts';
import type { Command } from '../../domain/ports/lifecycles.ts';
import type { FormQuorum } from '../../domain/quorum/commands.ts';
import type { Quorum } from '../../domain/quorum/machine.ts';
import { foldStream } from '../../domain/registry.ts';
import { INFRASTRUCTURE_TYPES } from '../../domain/tiers.ts';
import { bidIdOf } from '../../infra/bidding/bid-id.ts';
import { sealContext } from '../../infra/bidding/seal-context.ts';
import { type Engine, metaOf, now, startEngine } from '../support/engine.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await startEngine();
});
afterAll(() => engine.stop());

const CEILING = toMicro(1_000_000n);

const openCommand = (change: Partial<OpenAuction> = {}): OpenAuction => ({
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
  ceiling: CEILING,
  auctionSeconds: 1,
  seed: randomBytes(32).toString('hex'),
  ...change,
});

const sealedBid = async (auctionId: string, index: number) => {
  const bidder = await engine.provider(index, 'cloud_aws');
  const bidId = bidIdOf(auctionId, bidder.providerId);
  await engine.sealing.createKey(auctionId);
  const price = JSON.stringify({ price: `${1000 + index}` });
  const sealed = await engine.sealing.seal(auctionId, price, sealContext(auctionId, bidId));
  return { bidId, ...bidder, sealed };
};

const ended = (stream: string) => engine.client.workflow.getHandle(stream).result();
const typesOf = async (stream: string) => (await engine.store.readStream(stream)).map(({ type }) => type);

test('adopts the events that stand in its place in the log, and goes on from them', async () => {
  const open = openCommand({ auctionSeconds: 3 });
  const { auctionId } = open;
  await engine.lifecycles.open('auction', auctionId, open, metaOf(`${auctionId}/open`));
  const bids = await Promise.all([0, 1, 2].map((index) => sealedBid(auctionId, index)));

  // As the run before a reset would have left it: a valid bid, with its deposit, that this run does not remember.
  const [forgotten, ...others] = bids;
  const event: BidPlaced = {
    type: 'auction.bid-placed',
    ...(forgotten as (typeof bids)[0]),
    deposit: CEILING,
    placedAt: now(),
  };
  const auction = foldStream(auctionId, await engine.store.readStream(auctionId)).context as Auction;
  const context = {
    occurredAt: now(),
    actor: event.owner,
    correlationId: auctionId,
    causationId: event.bidId,
    traceparent: null,
  };
  const written = await engine.journal.append({
    stream: auctionId,
    expectedRevision: 0,
    batches: [{ context, events: [event], entries: movements(auction, event, `${auctionId}@1`) }],
    origin: { workflowId: auctionId, runId: 'before-the-reset' },
  });
  expect(written).toMatchObject({ kind: 'appended' });

  const answers = await Promise.all(
    others.map((bid) =>
      engine.lifecycles.execute(auctionId, { type: 'place-bid', ...bid }, metaOf(bid.bidId, bid.owner)),
    ),
  );
  expect(answers.map((answer) => answer.ok && answer.revision).sort()).toEqual(['2', '3']);
  expect(await engine.lifecycles.inspect(auctionId)).toMatchObject({ value: 'open', revision: '3' });

  expect(await ended(auctionId)).toMatchObject({ value: 'allocated' });
  const end = foldStream(auctionId, await engine.store.readStream(auctionId)).context as Auction;
  expect(end.bids).toHaveLength(3);
  expect(end.awarded).toMatchObject([{ bidId: event.bidId, price: '1000' }]);
  const ledger = foldStream(LEDGER_STREAM, await engine.store.readStream(LEDGER_STREAM)).context as Ledger;
  expect(bids.map(({ bidId }) => balanceOf(ledger, account.deposit(bidId)))).toEqual([1_000_000n, 0n, 0n]);
});

test('a command with text that nobody could store is refused before it is a command, by client and workflow', async () => {
  const open = openCommand({ auctionSeconds: 2 });
  const { auctionId } = open;
  const refusal = { code: 'INVALID_REQUEST', errors: [{ field: 'quoteId', rule: 'no character U+0000' }] };
  expect(
    await engine.lifecycles.open(
      'auction',
      auctionId,
      { ...open, quoteId: 'a\0b' } as Command,
      metaOf('poison'),
    ),
  ).toMatchObject(refusal);
  expect(await engine.lifecycles.inspect(auctionId)).toBeNull();

  await engine.lifecycles.open('auction', auctionId, open, metaOf(`${auctionId}/open`));
  const bids = await Promise.all([0, 1, 2].map((index) => sealedBid(auctionId, index)));
  const poisoned = { type: 'place-bid', ...bids[0], sealed: '\ud800' };
  const direct = engine.client.workflow
    .getHandle(auctionId)
    .executeUpdate('command', { updateId: 'direct', args: [poisoned, metaOf('direct', bids[0]?.owner)] });
  await expect(direct).rejects.toMatchObject({ cause: { type: 'INVALID_REQUEST' } });
  for (const bid of bids) {
    const command = { type: 'place-bid', ...bid };
    expect(await engine.lifecycles.execute(auctionId, command, metaOf(bid.bidId, bid.owner))).toMatchObject({
      ok: true,
    });
  }
  expect(await ended(auctionId)).toMatchObject({ value: 'allocated' });
});

test('a workflow that comes to hold such text fails, instead of trying to store it for ever', async () => {
  const open = openCommand({ quoteId: '\ud800' });
  const meta = metaOf(`${open.auctionId}/open`);
  const handle = await engine.client.workflow.start('auction', {
    workflowId: open.auctionId,
    taskQueue: engine.taskQueue,
    args: [{ stream: open.auctionId, version: 1, open: { command: open, meta } }],
  });
  await expect(handle.result()).rejects.toMatchObject({ name: 'WorkflowFailedError' });
  expect(await typesOf(open.auctionId)).toEqual([]);
});

test('opens once when several callers open at the same moment, and outlives the refusal of the others', async () => {
  const open = openCommand();
  const { auctionId } = open;
  // They meet in one workflow task.
  const answers = await engine.withoutWorker(async () => {
    const asked = [1, 2, 3].map((caller) =>
      engine.lifecycles.open('auction', auctionId, open, metaOf(`${auctionId}/open/${caller}`)),
    );
    await expect.poll(async () => engine.client.workflow.getHandle(auctionId).describe()).toBeDefined();
    return { asked };
  });
  const outcomes = await Promise.all(answers.asked);
  expect(outcomes.filter((outcome) => outcome.ok)).toHaveLength(1);
  for (const outcome of outcomes) if (!outcome.ok) expect(outcome).toMatchObject({ code: 'CONFLICT' });
  expect(await ended(auctionId)).toMatchObject({ value: 'failed' });
  expect(await typesOf(auctionId)).toEqual(['auction.opened', 'auction.extended', 'auction.failed']);
});

test('drops a deadline of a state that was left before it came to it', async () => {
  const members = INFRASTRUCTURE_TYPES.map(
    (infrastructureType, index): OpenedBid => ({
      bidId: `bid-${index}`,
      providerId: `provider-${index}`,
      owner: `owner-${index}`,
      infrastructureType,
      asn: 64_500 + index,
      region: `region-${index}`,
      unavailability: 0.001,
      price: toMicro('100'),
      newcomer: false,
    }),
  );
  const form: FormQuorum = {
    type: 'form',
    quorumId: `quorum-${randomBytes(8).toString('hex')}`,
    jobId: 'job-1',
    auctionId: 'auction-1',
    tier: 'gold',
    ceiling: CEILING,
    seed: '00',
    members: members.slice(0, 3).map((bid) => ({ ...bid, payment: bid.price })),
    reserve: members.slice(3),
    lifetimeSeconds: 2,
  };
  const { quorumId } = form;
  await engine.lifecycles.open('quorum', quorumId, form, metaOf(`${quorumId}/form`));
  const handle = engine.client.workflow.getHandle(quorumId);
  const lose = { type: 'lose-member', providerId: 'provider-0', reason: 'lost' } as Command;

  // While nobody works, the member is reported lost and then the expiry of the old epoch passes.
  const { outcome } = await engine.withoutWorker(async () => {
    const asked = engine.lifecycles.execute(quorumId, lose, metaOf(`${quorumId}/lose`));
    const fired = async () =>
      (await handle.fetchHistory()).events?.some(
        ({ timerFiredEventAttributes }) => timerFiredEventAttributes,
      );
    await expect.poll(fired, { timeout: 15_000 }).toBe(true);
    return { outcome: asked };
  });
  expect(await outcome).toMatchObject({ ok: true });
  await handle.result();
  expect(await typesOf(quorumId)).toEqual([
    'quorum.formed',
    'quorum.member-lost',
    'quorum.reformed',
    'quorum.dissolved',
  ]);
  const quorum = foldStream(quorumId, await engine.store.readStream(quorumId)).context as Quorum;
  expect(quorum).toMatchObject({ epoch: 2 });
});

/** What a workflow has shown in `MachineState`, in order. */
const shownBy = async (stream: string): Promise<string[]> => {
  const { events } = await engine.client.workflow.getHandle(stream).fetchHistory();
  return (events ?? []).flatMap(({ upsertWorkflowSearchAttributesEventAttributes: upsert }) => {
    const data = upsert?.searchAttributes?.indexedFields?.['MachineState']?.data;
    return data ? [JSON.parse(Buffer.from(data).toString()) as string] : [];
  });
};

test('shows the states that somebody waits for and the end, not those between', async () => {
  const open = openCommand({ auctionSeconds: 3 });
  const { auctionId } = open;
  await engine.lifecycles.open('auction', auctionId, open, metaOf(`${auctionId}/open`));
  const bids = await Promise.all([0, 1, 2].map((index) => sealedBid(auctionId, index)));
  for (const bid of bids)
    await engine.lifecycles.execute(auctionId, { type: 'place-bid', ...bid }, metaOf(bid.bidId, bid.owner));
  expect(await ended(auctionId)).toMatchObject({ value: 'allocated' });
  expect(await typesOf(auctionId)).toContain('auction.bids-opened');
  expect(await shownBy(auctionId)).toEqual(['open', 'allocated']);
});
