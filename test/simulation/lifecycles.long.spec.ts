import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Auction } from '../../domain/auction/auction.ts';
import type { AuctionEvent, BidVerdict } from '../../domain/auction/events.ts';
import { generator } from '../../domain/auction/market.fixture.ts';
import { aggregateOf, domainEventOf, type RecordedEvent } from '../../domain/event.ts';
import type { Job } from '../../domain/job/job.ts';
import { account, LEDGER_STREAM, type LedgerEvent } from '../../domain/ledger/events.ts';
import { balanceOf, emptyLedger, evolveLedger, mayOverdraw, total } from '../../domain/ledger/fold.ts';
import { units, ZERO } from '../../domain/money.ts';
import { foldStream } from '../../domain/registry.ts';
import { eventSchemaOf } from '../../domain/schemas.ts';
import type { SimulatedHost } from './host.ts';
import { play, SUBMITTER } from './scenario.ts';
import type { Draw, World } from './world.ts';

const drawOf = (seed: number): Draw => {
  const random = generator(seed);
  return (below) => Math.floor(random() * below);
};

/** One seed is one history: a failing property names the seed that shows it. */
const always = (check: (world: World, seed: number) => Promise<void>): Promise<void> => {
  const property = fc.asyncProperty(fc.nat(2 ** 31), async (seed) => check(await play(drawOf(seed)), seed));
  return fc.assert(property, { numRuns: 60 });
};

const logOf = (world: World): Promise<RecordedEvent[]> => world.store.readAll({ after: 0n, limit: 100_000 });

const hostsOf = (world: World, aggregate: string): SimulatedHost[] =>
  [...world.hosts.values()].filter(({ stream }) => aggregateOf(stream) === aggregate);

const entriesOf = async ({ store }: World): Promise<LedgerEvent[]> =>
  (await store.readStream(LEDGER_STREAM)).map((event) => domainEventOf<LedgerEvent>(event));

describe('random histories of auctions and jobs, on the real rules, effects and journal', () => {
  test('conservation: Σ = 0 and no overdraft after every event, nothing held at the end', () =>
    always(async (world) => {
      let ledger = emptyLedger;
      for (const entry of await entriesOf(world)) {
        ledger = evolveLedger(ledger, entry);
        expect(total(ledger)).toBe(0n);
        for (const { account: name } of entry.postings)
          if (!mayOverdraw(name)) expect(balanceOf(ledger, name), name).toBeGreaterThanOrEqual(0n);
      }
      expect(
        Object.keys(ledger.balances).filter((name) => /^(escrow|deposit|rent|forfeits):/.test(name)),
      ).toEqual([]);
    }));

  test('every deposit is released, or slashed for its share and then released, exactly once; a slash cites the fault', () =>
    always(async (world) => {
      const log = new Map((await logOf(world)).map((event) => [event.id, event]));
      const moves = new Map<string, string[]>();
      for (const { kind, cause, postings } of await entriesOf(world)) {
        for (const { account: name } of postings)
          if (name.startsWith('deposit:')) moves.set(name, [...(moves.get(name) ?? []), kind]);
        if (kind !== 'slash') continue;
        const because = log.get(cause);
        if (because?.type === 'job.settled') {
          expect(because.data['fraud']).not.toEqual([]);
          continue;
        }
        expect(because).toMatchObject({
          type: 'enclave.failed',
          data: { fault: expect.stringMatching(/^(declared|refusal|no-show|attestation|lost)$/) },
        });
      }
      const accepted = new Set(
        [...log.values()]
          .filter(({ type }) => type === 'job.standby-accepted')
          .map(({ data }) => account.deposit(data['bidId'] as string)),
      );
      for (const [deposit, kinds] of moves) {
        // A bid that lost stands in by a deposit of its own.
        const [bid, ...others] = kinds.join().split(/,(?=hold)/);
        const standby = accepted.has(deposit) ? others.pop() : undefined;
        expect(others, deposit).toEqual([]);
        for (const each of [bid, standby ?? bid])
          expect(['hold,release', 'hold,slash', 'hold,slash,release'], deposit).toContain(each);
      }
    }));

  test('every bid ends in exactly one terminal state, whichever way its auction ends', () =>
    always(async (world) => {
      for (const { stream, snapshot } of hostsOf(world, 'auction')) {
        const verdicts = (await world.store.readStream(stream)).flatMap((event): readonly BidVerdict[] => {
          const own = domainEventOf<AuctionEvent>(event);
          return own.type === 'auction.awarded' || own.type === 'auction.failed' ? own.verdicts : [];
        });
        const { bids, awarded } = snapshot.context as Auction;
        expect(verdicts.map(({ bidId }) => bidId).sort()).toEqual(bids.map(({ bidId }) => bidId).sort());
        const won = verdicts.filter(({ state }) => state === 'won').map(({ bidId }) => bidId);
        expect(won.sort()).toEqual(awarded.map(({ bidId }) => bidId).sort());
      }
    }));

  test('every lifecycle comes to its end', () =>
    always(async (world) => {
      for (const host of world.hosts.values())
        expect(host.ended, `${host.stream} is ${JSON.stringify(host.snapshot.value)}`).toBe(true);
    }));

  test('a submitter has spent the prices of its jobs, which only proven work has, and what asking costs, and got what was forfeited', () =>
    always(async (world) => {
      let spent = 0n;
      for (const { stream, snapshot } of hostsOf(world, 'job')) {
        const end = (await world.store.readStream(stream)).at(-1);
        const price = BigInt((end as RecordedEvent).data['price'] as string);
        if (price > 0n) expect((snapshot.context as Job).proven).not.toBeNull();
        spent += price;
      }
      for (const { data } of await logOf(world)) {
        const { openingFee = '0', compensation } = data as {
          openingFee?: string;
          compensation?: { submitter: string };
        };
        spent += BigInt(openingFee) - BigInt(compensation?.submitter ?? 0);
      }
      const entries = await entriesOf(world);
      // What awards that waited to be taken have cost.
      for (const { kind, postings } of entries)
        if (kind === 'payment' && postings[0]?.account.startsWith('rent:auction'))
          spent += units(postings[1]?.amount ?? ZERO);
      const granted = entries.find(({ kind, entryId }) => kind === 'credit' && entryId.includes(SUBMITTER));
      const balance = balanceOf(entries.reduce(evolveLedger, emptyLedger), account.available(SUBMITTER));
      expect(balance).toBe(units(granted?.postings[1]?.amount ?? ZERO) - spent);
    }));

  test('replay = live: folding the log from JSON gives the state of every host', () =>
    always(async (world) => {
      for (const { stream, snapshot, revision } of world.hosts.values()) {
        const events = await world.store.readStream(stream);
        expect(events).toHaveLength(revision + 1);
        const folded = foldStream(stream, events);
        const live = JSON.parse(JSON.stringify({ value: snapshot.value, context: snapshot.context }));
        expect({ value: folded.value, context: folded.context }).toEqual(live);
      }
    }));

  test('schemas: every event ever written has the shape that is promised, and nothing beside it', () =>
    always(async (world) => {
      for (const event of await logOf(world)) {
        const result = eventSchemaOf(event.type)?.safeParse({ ...event.data, type: event.type });
        expect(result, event.type).toMatchObject({ success: true });
      }
    }));

  test('determinism: the same causes in the same order write the same bytes', () =>
    always(async (world, seed) => {
      const again = await play(drawOf(seed));
      expect(await again.store.head()).toEqual(await world.store.head());
    }));
});
