import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { reservationOf } from '../../domain/auction/asking.ts';
import type { Auction } from '../../domain/auction/auction.ts';
import type { OpenAuction } from '../../domain/auction/commands.ts';
import { account, LEDGER_STREAM } from '../../domain/ledger/events.ts';
import { balanceOf, type Ledger, total } from '../../domain/ledger/fold.ts';
import { type Micro, toMicro, units } from '../../domain/money.ts';
import { foldStream } from '../../domain/registry.ts';
import { TIER_TABLE_VERSION } from '../../domain/tiers.ts';
import { bidIdOf } from '../../infra/bidding/bid-id.ts';
import { sealContext } from '../../infra/bidding/seal-context.ts';
import { type Engine, metaOf, startEngine } from '../support/engine.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await startEngine();
});
afterAll(() => engine.stop());

/** Any three of them meet gold, so nobody is indispensable. */
const TYPES = ['cloud_aws', 'cloud_azure', 'cloud_gcp', 'private_datacenters'] as const;
const CEILING = toMicro(1_000_000n);

const openCommand = (submitter: string, auctionSeconds = 1): OpenAuction => ({
  type: 'open',
  auctionId: `auction-${randomBytes(8).toString('hex')}`,
  submitter,
  jobId: null,
  quoteId: 'quote',
  tier: 'gold',
  tierTableVersion: TIER_TABLE_VERSION,
  requiredTops: 500,
  utilization: 0.8,
  durationSeconds: 60,
  ceiling: CEILING,
  auctionSeconds,
  seed: randomBytes(32).toString('hex'),
});

/** What three winners hold for an award that no job has asked for. */
const HELD_FOR_AWARD = 3n * units(reservationOf({ requiredTops: 500 }).held);

const bid = async (auctionId: string, provider: { providerId: string; owner: string }, price: Micro) => {
  const bidId = bidIdOf(auctionId, provider.providerId);
  await engine.sealing.createKey(auctionId);
  const sealed = await engine.sealing.seal(
    auctionId,
    JSON.stringify({ price }),
    sealContext(auctionId, bidId),
  );
  const command = { type: 'place-bid', bidId, ...provider, sealed };
  return engine.lifecycles.execute(auctionId, command, metaOf(bidId, provider.owner));
};

const ended = (auctionId: string) => engine.client.workflow.getHandle(auctionId).result();

const ledger = async (): Promise<Ledger> =>
  foldStream(LEDGER_STREAM, await engine.store.readStream(LEDGER_STREAM)).context as Ledger;

const auctionOf = async (auctionId: string): Promise<Auction> =>
  foldStream(auctionId, await engine.store.readStream(auctionId)).context as Auction;

describe('an auction on the durable host', () => {
  test('opens, takes sealed bids, closes by its durable deadline, awards, and lapses into nothing lost', async () => {
    const submitter = 'subject-submitter';
    await engine.fund(submitter, 10_000_000n);
    const open = openCommand(submitter, 2);
    const opened = await engine.lifecycles.open(
      'auction',
      open.auctionId,
      open,
      metaOf(`${open.auctionId}/open`, submitter),
    );
    expect(opened).toMatchObject({ ok: true, state: 'open', revision: '0' });
    const bidders = await Promise.all(TYPES.map((type, index) => engine.provider(index, type)));
    const prices = [100_000n, 200_000n, 300_000n, 400_000n];
    for (const [index, bidder] of bidders.entries()) {
      const placed = await bid(open.auctionId, bidder, toMicro(prices[index] as bigint));
      expect(placed).toMatchObject({ ok: true, state: 'open' });
    }
    const again = await bid(open.auctionId, bidders[0] as (typeof bidders)[0], toMicro(1n));
    expect(again).toMatchObject({ ok: true, revision: '1' });
    const view = await engine.lifecycles.inspect(open.auctionId);
    expect(view).toMatchObject({ value: 'open', revision: '4' });
    await expect
      .poll(async () => (await engine.lifecycles.inspect(open.auctionId))?.value, { timeout: 15_000 })
      .toBe('awarded');
    const auction = await auctionOf(open.auctionId);
    expect(auction.awarded.map((winner) => winner.payment)).toEqual(['400000', '400000', '400000']);
    const balances = await ledger();
    expect(total(balances)).toBe(0n);
    expect(balanceOf(balances, account.escrow(open.auctionId))).toBe(3_000_000n);
    const allocated = await engine.lifecycles.execute(
      open.auctionId,
      { type: 'allocate', jobId: 'job-1' } as never,
      metaOf('allocate-1', submitter),
    );
    expect(allocated).toMatchObject({ ok: true, state: 'allocated' });
    await ended(open.auctionId);
    const late = await bid(open.auctionId, { providerId: 'provider-late', owner: 'late' }, toMicro(1n));
    expect(late).toMatchObject({ ok: false, code: 'AUCTION_EXPIRED' });
  });

  test('R66: extends once, then fails with AUCTION_NOT_ENOUGH_BIDS and returns escrow and deposits, not the fee', async () => {
    const submitter = 'subject-lonely';
    await engine.fund(submitter, 3_030_000n + HELD_FOR_AWARD);
    const open = openCommand(submitter, 1);
    await engine.lifecycles.open(
      'auction',
      open.auctionId,
      open,
      metaOf(`${open.auctionId}/open`, submitter),
    );
    const bidder = await engine.provider(1, 'cloud_aws');
    expect(await bid(open.auctionId, bidder, toMicro(5n))).toMatchObject({ ok: true });
    await ended(open.auctionId);
    const auction = await auctionOf(open.auctionId);
    expect(auction).toMatchObject({ extended: true, failure: { reason: 'AUCTION_NOT_ENOUGH_BIDS' } });
    const balances = await ledger();
    expect(balanceOf(balances, account.available(submitter))).toBe(3_000_000n + HELD_FOR_AWARD);
    expect(balanceOf(balances, account.fees)).toBeGreaterThanOrEqual(30_000n);
    expect(balanceOf(balances, account.available(bidder.owner))).toBe(100_000_000n);
  });

  test('R66: extends when the trust gate, not the count, leaves too few owners, and awards what comes then', async () => {
    const submitter = 'subject-thinned';
    await engine.fund(submitter, 10_000_000n);
    const open = openCommand(submitter, 5);
    const bidders = await Promise.all(TYPES.map((type, index) => engine.provider(index, type)));
    const fraud = bidders[3] as (typeof bidders)[0];
    const later = await engine.provider(4, 'hybrid_environments');
    const convicted = { type: 'record-evidence', evidenceId: 'job-1@1', reason: 'deviation' } as const;
    const caller = { actor: 'engine', commandId: `${fraud.providerId}/fraud` };
    expect(await engine.providers.execute(fraud.providerId, convicted, caller)).toMatchObject({ ok: true });
    const meta = metaOf(`${open.auctionId}/open`, submitter);
    expect(await engine.lifecycles.open('auction', open.auctionId, open, meta)).toMatchObject({ ok: true });
    for (const [index, bidder] of bidders.entries()) {
      const placed = await bid(open.auctionId, bidder, toMicro(BigInt(100_000 * (index + 1))));
      expect(placed).toMatchObject({ ok: true });
    }
    await expect.poll(async () => (await auctionOf(open.auctionId)).extended, { timeout: 15_000 }).toBe(true);
    const types = async () => (await engine.store.readStream(open.auctionId)).map(({ type }) => type);
    expect((await types()).slice(-2)).toEqual(['auction.closed', 'auction.extended']);
    expect(await bid(open.auctionId, later, toMicro(500_000n))).toMatchObject({ ok: true, state: 'open' });
    await expect
      .poll(async () => (await engine.lifecycles.inspect(open.auctionId))?.value, { timeout: 15_000 })
      .toBe('awarded');
    const { awarded, verdicts } = await auctionOf(open.auctionId);
    expect(awarded.map(({ owner }) => owner)).not.toContain(fraud.owner);
    expect(verdicts.filter(({ state }) => state === 'rejected')).toHaveLength(1);
    expect(total(await ledger())).toBe(0n);
  });

  test('refuses an opening that the balance does not cover, leaves nothing, and may be tried again', async () => {
    const submitter = 'subject-poor';
    const open = openCommand(submitter, 1);
    const refused = await engine.lifecycles.open(
      'auction',
      open.auctionId,
      open,
      metaOf('poor-1', submitter),
    );
    expect(refused).toMatchObject({ ok: false, code: 'INSUFFICIENT_BALANCE' });
    expect(await engine.store.readStream(open.auctionId)).toEqual([]);
    await engine.fund(submitter, 3_030_000n + HELD_FOR_AWARD);
    const opened = await engine.lifecycles.open('auction', open.auctionId, open, metaOf('poor-2', submitter));
    expect(opened).toMatchObject({ ok: true, state: 'open' });
    const second = await engine.lifecycles.open('auction', open.auctionId, open, metaOf('poor-3', submitter));
    expect(second).toMatchObject({ ok: false, code: 'CONFLICT' });
  });
});
