import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aggregateOf, type RecordedEvent } from '../domain/event.ts';
import { LEDGER_STREAM } from '../domain/ledger/events.ts';
import type { Ledger } from '../domain/ledger/fold.ts';
import type { Provider } from '../domain/provider/fold.ts';
import { foldedState, foldStream } from '../domain/registry.ts';
import type { Topology } from '../domain/topology/machine.ts';
import { createMemoryEventStore } from '../infra/event-store/memory/store.ts';
import { plots, tell } from '../test/support/stories.ts';
import { auctions } from './auctions/projection.ts';
import { enclaves } from './enclaves/projection.ts';
import { jobs } from './jobs/projection.ts';
import { ledger } from './ledger/projection.ts';
import { predicates } from './predicates/projection.ts';
import { providers } from './providers/projection.ts';
import { quorums } from './quorums/projection.ts';
import { neighbourDraws } from './topologies/draws.ts';
import { topologies } from './topologies/projection.ts';
import { evidenceOf } from './trust/evidence.ts';
import { trust } from './trust/projection.ts';
import type { TrustRow } from './trust/table.ts';

const logOf = async (plot: Parameters<typeof tell>[1]): Promise<RecordedEvent[]> => {
  const store = createMemoryEventStore();
  await tell(store, plot);
  const events = await store.readAll({ after: 0n, limit: 100_000 });
  await store.close();
  return events;
};

const handled = (events: readonly RecordedEvent[], types: readonly string[]) =>
  events.filter(({ type }) => types.includes(type));

const byStream = (events: readonly RecordedEvent[]) => Map.groupBy(events, ({ stream }) => stream);

describe('rows of lifecycles', () => {
  const models = {
    auction: auctions,
    enclave: enclaves,
    job: jobs,
    predicate: predicates,
    quorum: quorums,
    topology: topologies,
  } as const;

  it.each(Object.entries(models))(
    '%s: the state of a row is the state of the machine',
    async (aggregate, model) => {
      await fc.assert(
        fc.asyncProperty(plots({ min: 1, max: 4 }), async (plot) => {
          const events = await logOf(plot);
          const rows = model.fold(handled(events, model.handles), new Map() as never) as readonly {
            state: string;
          }[];
          const states = [...byStream(events)]
            .filter(([stream]) => aggregateOf(stream) === aggregate)
            .map(([stream, own]) => foldedState(foldStream(stream, own)));
          expect(rows.map(({ state }) => state).sort()).toEqual(states.sort());
        }),
        { numRuns: 60 },
      );
    },
  );
});

describe('folding in batches', () => {
  const key = (row: object): string => String(Object.values(row)[0]);

  it.each([auctions, enclaves, jobs, predicates, quorums, topologies])(
    '$name: where a batch ends changes nothing',
    async (model) => {
      await fc.assert(
        fc.asyncProperty(plots({ min: 1, max: 3 }), fc.integer({ min: 1, max: 7 }), async (plot, size) => {
          const events = handled(await logOf(plot), model.handles);
          const whole = new Map<string, object>();
          for (const row of model.fold(events, new Map() as never) as readonly object[])
            whole.set(key(row), row);
          const parts = new Map<string, object>();
          for (let from = 0; from < events.length; from += size) {
            for (const row of model.fold(
              events.slice(from, from + size),
              parts as never,
            ) as readonly object[]) {
              // As a row comes back from the table.
              parts.set(key(row), JSON.parse(JSON.stringify(row)));
            }
          }
          expect(Object.fromEntries(parts)).toEqual(JSON.parse(JSON.stringify(Object.fromEntries(whole))));
        }),
        { numRuns: 30 },
      );
    },
  );

  it('refuses an event of a stream that never began', async () => {
    const events = await logOf(fc.sample(plots({ min: 2, max: 2 }), { numRuns: 1, seed: 7 })[0] as never);
    const later = handled(events, ['enclave.created', 'enclave.failed', 'enclave.destroyed']);
    expect(() => enclaves.fold(later, new Map())).toThrow(/before enclave\.requested/);
  });
});

describe('ledger', () => {
  it('balances change by nothing in sum, whatever the batch', async () => {
    await fc.assert(
      fc.asyncProperty(plots({ min: 1, max: 1 }), async (plot) => {
        const events = handled(await logOf(plot), ledger.handles);
        const { accounts } = ledger.fold(events, null);
        expect(accounts.reduce((sum, { balance }) => sum + BigInt(balance), 0n)).toBe(0n);
      }),
      { numRuns: 30 },
    );
  });

  it('shows the balances that the ledger itself folds to', async () => {
    await fc.assert(
      fc.asyncProperty(plots({ min: 1, max: 1 }), async (plot) => {
        const events = handled(await logOf(plot), ledger.handles);
        const { balances } = foldStream(LEDGER_STREAM, events).context as Ledger;
        const shown = ledger.fold(events, null).accounts.filter(({ balance }) => balance !== '0');
        expect(Object.fromEntries(shown.map(({ account, balance }) => [account, balance]))).toEqual(balances);
      }),
      { numRuns: 30 },
    );
  });

  it('stops at an entry that makes money', async () => {
    const [event] = handled(await logOf(fc.sample(plots({ min: 1, max: 1 }), 1)[0] as never), ledger.handles);
    const forged = { ...event, data: { ...event?.data, postings: [{ account: 'external', amount: '1' }] } };
    expect(() => ledger.fold([forged as unknown as RecordedEvent], null)).toThrow(/does not balance: 1/);
  });

  it('knows whose money is held', () => {
    const posting = (account: string, amount: string) => ({ account, amount });
    const event = {
      position: 1n,
      occurredAt: '2026-01-01T00:00:00.000Z',
      data: {
        entryId: 'e',
        kind: 'hold',
        cause: 'c',
        postings: [posting('available:subject-a', '-5'), posting('escrow:auction-1', '5')],
      },
    } as unknown as RecordedEvent;
    const { accounts } = ledger.fold([event], null);
    expect(accounts.map(({ account, owner }) => [account, owner])).toEqual([
      ['available:subject-a', 'subject-a'],
      ['escrow:auction-1', 'subject-a'],
    ]);
  });
});

describe('neighbour draws', () => {
  it('are those that the epochs have recorded', async () => {
    await fc.assert(
      fc.asyncProperty(plots({ min: 1, max: 3 }), async (plot) => {
        const events = await logOf(plot);
        const rows = neighbourDraws.fold(handled(events, neighbourDraws.handles), null);
        for (const [stream, own] of byStream(events)) {
          if (aggregateOf(stream) !== 'topology') continue;
          const { selected } = foldStream(stream, own).context as Topology;
          expect(rows.filter((row) => row.topologyId === stream).map(({ index }) => index)).toEqual(selected);
        }
      }),
      { numRuns: 30 },
    );
  });
});

describe('providers and trust', () => {
  it('rows say what the provider itself folds to', async () => {
    await fc.assert(
      fc.asyncProperty(plots({ min: 1, max: 4 }), async (plot) => {
        const events = await logOf(plot);
        const listed = new Map(
          providers.fold(handled(events, providers.handles), new Map()).map((row) => [row.providerId, row]),
        );
        const trusted = new Map(
          trust.fold(handled(events, trust.handles), new Map()).map((row) => [row.providerId, row]),
        );
        for (const [stream, own] of byStream(events)) {
          if (aggregateOf(stream) !== 'provider') continue;
          const folded = foldStream(stream, own).context as Provider;
          const row = listed.get(stream);
          expect(row).toMatchObject({
            owner: folded.owner,
            stake: folded.stake,
            stakedAt: folded.stakedAt,
            bond: folded.bond?.amount ?? '0',
            bondsForfeited: folded.bondsForfeited,
            presenceAt: folded.presenceAt,
          });
          expect(row?.presence ?? 'unknown').toBe(folded.presence);
          expect(row?.state).toBe(folded.attestation ? 'listed' : 'registered');
          const record = trusted.get(stream);
          expect(evidenceOf(record as TrustRow)).toEqual(folded.evidence);
          expect(record).toMatchObject({
            uncertain: folded.uncertain,
            low: folded.low,
            bonded: folded.bond !== null,
          });
        }
        expect(trusted.size).toBe(listed.size);
      }),
      { numRuns: 60 },
    );
  });
});
