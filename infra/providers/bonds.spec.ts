import { describe, expect, test } from 'vitest';
import type { AuctionEvent } from '../../domain/auction/events.ts';
import { type DomainEvent, newEvent } from '../../domain/event.ts';
import type { JobEvent } from '../../domain/job/events.ts';
import { transfer } from '../../domain/ledger/entry.ts';
import { account } from '../../domain/ledger/events.ts';
import { ZERO } from '../../domain/money.ts';
import type { ProviderCommand } from '../../domain/provider/decide.ts';
import { requiredStake } from '../../domain/provider/stake.ts';
import { DEFAULT_T_REF } from '../../domain/tiers.ts';
import { at, hex, micro, ulid, winnerOf } from '../../test/support/stories/parts.ts';
import { createMemoryEventStore } from '../event-store/memory/store.ts';
import { createJournal } from '../journal/journal.ts';
import { createBonds, roomUnderBond } from './bonds.ts';
import { createProviderMarket } from './provider-market.ts';
import { createProviders } from './providers.ts';

const [FIRST, OTHER] = [0, 1].map((index) => winnerOf(1, index)) as [
  ReturnType<typeof winnerOf>,
  ReturnType<typeof winnerOf>,
];
const { providerId, owner } = FIRST;
const BOND = requiredStake(1000);
const now = () => at(0);

/** A provider that is barred and bonded, and a way to write into the log what became of auctions and jobs. */
const bondedProvider = async () => {
  const store = createMemoryEventStore();
  const books = createJournal({ store });
  const providers = createProviders({ store, books, now });
  const bonds = createBonds({ store, providers, now });
  const context = {
    occurredAt: now(),
    actor: 'test',
    correlationId: 'test',
    causationId: 'test',
    traceparent: null,
  };
  const credit = transfer('credit', account.external, account.available(owner), micro(1_000_000), 'credit-1');
  expect(await books.post([credit], context)).toMatchObject({ ok: true });
  let asked = 0;
  const tell = async (command: ProviderCommand): Promise<void> => {
    const outcome = await providers.execute(providerId, command, { actor: owner, commandId: `c-${asked++}` });
    if (!outcome.ok) throw new Error(outcome.message);
  };
  const { infrastructureType, asn, region } = FIRST;
  await tell({
    type: 'register',
    providerId,
    owner,
    infrastructureType,
    asn,
    region,
    tops: 1000,
    publicKey: hex(1),
  });
  await tell({
    type: 'attest',
    platform: 'amd_sev_snp',
    label: 'simulated',
    reportHash: hex(2),
    nonce: hex(3),
    expiresAt: at(86_400),
  });
  const fault = (evidenceId: string, auctionId?: string): Promise<void> =>
    tell({ type: 'record-evidence', evidenceId, reason: 'no-show', ...(auctionId && { auctionId }) });
  await fault('no-1');
  await tell({ type: 'post-bond', amount: BOND, tRef: DEFAULT_T_REF });
  const write = async (stream: string, ...events: readonly DomainEvent[]): Promise<void> => {
    const before = await store.readStream(stream);
    const expectedRevision = BigInt(before.length) - 1n;
    const appended = await store.append({
      stream,
      expectedRevision,
      events: events.map((event) => newEvent(event, context)),
    });
    expect(appended).toMatchObject({ ok: true });
  };
  const bondOf = async () => (await providers.find(providerId))?.bond ?? null;
  return { store, providers, bonds, fault, write, bondOf };
};

const idOf = (seed: number): string => `auction-${ulid(seed)}`;
const jobOf = (seed: number): string => `job-${ulid(seed)}`;
const order = (seed: number, ceiling = 1000) => ({
  auctionId: idOf(seed),
  ceiling: micro(ceiling),
  winners: 3,
});

const opened = (seed: number): AuctionEvent => ({
  type: 'auction.opened',
  machineVersion: 2,
  auctionId: idOf(seed),
  submitter: 'subject-submitter',
  jobId: null,
  quoteId: 'quote-1',
  tier: 'gold',
  tierTableVersion: 1,
  requiredTops: 500,
  utilization: 0.5,
  durationSeconds: 60,
  winners: 3,
  requiredUp: 2,
  minimumOwners: 4,
  ceiling: micro(1000),
  rule: 'critical-value',
  seed: hex(seed),
  auctionSeconds: 10,
  openedAt: at(0),
  closesAt: at(10),
});
const closed: AuctionEvent = { type: 'auction.closed', closedAt: at(10) };
const awarded = (...winners: readonly (typeof FIRST)[]): AuctionEvent => ({
  type: 'auction.awarded',
  winners,
  verdicts: [],
  total: micro(100),
  predictedAvailability: 0.99,
  method: 'exact',
  allocateBy: at(120),
});
const allocated = (seed: number): AuctionEvent => ({ type: 'auction.allocated', jobId: jobOf(seed) });
const lapsed: AuctionEvent = { type: 'auction.lapsed', lapsedAt: at(120) };
const failed: AuctionEvent = {
  type: 'auction.failed',
  reason: 'AUCTION_NOT_ENOUGH_BIDS',
  message: 'too few',
  verdicts: [],
};
const submitted = (seed: number): JobEvent => ({
  type: 'job.submitted',
  machineVersion: 1,
  jobId: jobOf(seed),
  submitter: 'subject-submitter',
  quoteId: 'quote-1',
  auctionId: idOf(seed),
  auctionGiven: true,
  tier: 'gold',
  tierTableVersion: 1,
  requiredTops: 500,
  utilization: 0.5,
  durationSeconds: 60,
  ceiling: micro(1000),
  winners: 3,
  codeHash: hex(1),
  args: [],
  inputHash: hex(2),
  memoryMb: 64,
  auctionSeconds: 10,
  allowSimulated: true,
  seed: hex(3),
  submittedAt: at(20),
});
const aborted: JobEvent = { type: 'job.aborted', reason: 'QUORUM_NOT_ACHIEVED', message: 'too few' };
const ended: JobEvent = {
  type: 'job.failed',
  reason: 'QUORUM_NOT_ACHIEVED',
  message: 'too few',
  payouts: [],
  price: ZERO,
  failedAt: at(30),
};

describe('a bond stands behind one order at a time', () => {
  test.each<[string, readonly AuctionEvent[], readonly JobEvent[], boolean]>([
    ['while its auction is open', [], [], false],
    ['while its award is worked out', [closed], [], false],
    ['while its award waits to be taken', [closed, awarded(FIRST)], [], false],
    ['while its job has not begun', [closed, awarded(FIRST), allocated(1)], [submitted(1)], false],
    ['until its job has ended', [closed, awarded(FIRST), allocated(1)], [submitted(1), aborted], false],
    ['and is free then', [closed, awarded(FIRST), allocated(1)], [submitted(1), aborted, ended], true],
    ['and is free when the auction fails', [closed, failed], [], true],
    ['and is free when the award lapses', [closed, awarded(FIRST), lapsed], [], true],
    ['and is free when others have won', [closed, awarded(OTHER)], [], true],
    ['and is free when others do the job', [closed, awarded(OTHER), allocated(1)], [submitted(1)], true],
  ])('%s', async (_, auction, job, isFree) => {
    const { bonds, write, bondOf } = await bondedProvider();
    await write(idOf(1), opened(1));
    expect(await bonds.mayWin(providerId, order(1))).toBe(true);
    expect(await bondOf()).toMatchObject({ chance: idOf(1) });
    if (auction.length > 0) await write(idOf(1), ...auction);
    if (job.length > 0) await write(jobOf(1), ...job);
    expect(await bonds.mayWin(providerId, order(1))).toBe(true);
    const withdrawn = () => bonds.withdraw(providerId, { actor: owner, commandId: 'withdraw' });
    if (!isFree) expect(await withdrawn()).toMatchObject({ ok: false, code: 'CONFLICT' });
    await write(idOf(2), opened(2));
    expect(await bonds.mayWin(providerId, order(2))).toBe(isFree);
    if (!isFree) return;
    expect(await bondOf()).toMatchObject({ chance: idOf(2) });
    await write(idOf(2), closed, failed);
    expect(await withdrawn()).toMatchObject({ ok: true, provider: { bond: null } });
  });

  test('of many that are won at once, whoever asks', async () => {
    const { bonds, write, store } = await bondedProvider();
    const seeds = [1, 2, 3, 4, 5];
    for (const seed of seeds) await write(idOf(seed), opened(seed));
    const won = await Promise.all(seeds.map((seed) => bonds.mayWin(providerId, order(seed))));
    expect(won.filter(Boolean)).toHaveLength(1);
    const events = await store.readStream(providerId);
    expect(events.filter(({ type }) => type === 'provider.chance-taken')).toHaveLength(1);
  });

  test('and behind none that it does not cover', async () => {
    const { bonds, write, bondOf } = await bondedProvider();
    await write(idOf(1), opened(1));
    expect(await bonds.mayWin(providerId, order(1, Math.ceil(Number(BOND) / 3) + 1))).toBe(false);
    expect(await bondOf()).toMatchObject({ chance: null });
  });

  test('who needs no bond wins without one, and whose node has no room takes no chance', async () => {
    const { bonds, write, bondOf } = await bondedProvider();
    await write(idOf(1), opened(1));
    expect(await bonds.mayWin(OTHER.providerId, order(1))).toBe(true);
    const full = roomUnderBond(async () => 'full', bonds);
    expect(await full(providerId, order(1) as never, true)).toBe('full');
    expect(await bondOf()).toMatchObject({ chance: null });
  });
});

test('an award takes who is bonded for little worse than a newcomer, and tells by what', async () => {
  const { providers, bonds, fault } = await bondedProvider();
  const market = createProviderMarket({ providers, now });
  const placement = async () => (await market.placementsOf([providerId])).get(providerId);
  expect(await placement()).toMatchObject({
    newcomer: true,
    evidence: { positive: 0, negative: 0.1 },
    underBond: true,
  });
  await bonds.withdraw(providerId, { actor: owner, commandId: 'withdraw' });
  expect(await placement()).toMatchObject({ evidence: { positive: 0, negative: 2 }, underBond: false });
  await fault('no-2');
  expect(await placement()).toBeUndefined();
});

test('a bid that was judged by a bond wins nothing once the bond is withdrawn', async () => {
  const { bonds, write, fault } = await bondedProvider();
  await write(idOf(1), opened(1));
  const withdrawing = roomUnderBond(async () => {
    const back = await bonds.withdraw(providerId, { actor: owner, commandId: 'withdraw' });
    expect(back).toMatchObject({ ok: true });
    return 'held';
  }, bonds);
  expect(await withdrawing(providerId, order(1) as never, true)).toBe('uncovered');
  // The gate admits it without: as a bid at the price of its own risk, or as a standby, it may win until that refuses it.
  expect(await bonds.mayWin(providerId, order(1))).toBe(true);
  await fault('no-2');
  expect(await bonds.mayWin(providerId, order(1))).toBe(false);
});

test('a fault takes the bond that stood behind the order, and no other fault does', async () => {
  const { bonds, fault, write, bondOf } = await bondedProvider();
  await write(idOf(1), opened(1));
  expect(await bonds.mayWin(providerId, order(1))).toBe(true);
  await fault('old', idOf(9));
  expect(await bondOf()).not.toBeNull();
  await fault('new', idOf(1));
  expect(await bondOf()).toBeNull();
});
