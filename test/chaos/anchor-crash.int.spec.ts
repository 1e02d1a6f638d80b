import type { Pool } from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { addMs, instant } from '../../domain/time.ts';
import { AnchorConflictError } from '../../infra/anchor/anchorer.ts';
import type { AnchorChain } from '../../infra/anchor/chain.ts';
import { migrate } from '../../infra/postgres/migrate.ts';
import { createPool } from '../../infra/postgres/pool.ts';
import {
  anchoredSizes,
  connectTestChain,
  createTestAnchoring,
  createTestLog,
  type Disturb,
  type TestLog,
} from '../support/anchoring.ts';
import { startChain, type TestChain } from '../support/anvil.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

let database: TestDatabase;
let pool: Pool;
let chain: TestChain;
let evm: AnchorChain;
let log: TestLog;

beforeAll(async () => {
  database = await createTestDatabase();
  await migrate(database.url);
  pool = createPool(database.url, { name: 'test', max: 8 });
  chain = await startChain();
  evm = await connectTestChain(chain);
});
afterAll(async () => {
  await chain?.stop();
  await pool?.end();
  await database?.drop();
});
beforeEach(async () => {
  await pool.query('truncate log.anchors, log.anchor_transactions, log.anchor_requests');
  await chain.reset();
  log = createTestLog();
});

class Crash extends Error {}

/** Ends the work at the n-th call of anything: before the call does anything, or when it has but nobody knows. */
const crashAt = (n: number, when: 'before' | 'after') => {
  let calls = 0;
  const disturb: Disturb = (target) =>
    new Proxy(target, {
      get: (_, name) => {
        const value = Reflect.get(target, name) as unknown;
        if (typeof value !== 'function') return value;
        return async (...args: unknown[]) => {
          const isTheOne = ++calls === n;
          if (isTheOne && when === 'before') throw new Crash();
          const result: unknown = await Reflect.apply(value, target, args);
          if (isTheOne) throw new Crash();
          return result;
        };
      },
    });
  return { disturb, happened: () => calls >= n };
};

const rows = async () => {
  const found = await pool.query<{ size: bigint; state: string; transactions: bigint }>(
    `select size, state, (select count(*) from log.anchor_transactions signed where signed.size = anchor.size) as transactions
       from log.anchors anchor order by size`,
  );
  return found.rows.map(({ size, state, transactions }) => [Number(size), state, Number(transactions)]);
};
const onChain = () => anchoredSizes(chain, evm.contract);

describe('anchor.crash', () => {
  it.each(['before', 'after'] as const)(
    'killed %s every single step: one anchor of every size, none lost',
    async (when) => {
      let steps = 0;
      for (let isDone = false; !isDone; steps++) {
        await pool.query('truncate log.anchors, log.anchor_transactions');
        await chain.reset();
        log = createTestLog();
        const crash = crashAt(steps + 1, when);
        const doomed = createTestAnchoring(pool, log, evm, crash);
        const next = createTestAnchoring(pool, log, evm);
        let current = doomed;
        for (const size of [7, 20]) {
          log.grow(size);
          await current.settle().catch((error: unknown) => {
            if (!(error instanceof Crash)) throw error;
            current = next;
            return next.settle();
          });
        }
        isDone = !crash.happened();
        expect(await rows(), `crash ${when} call ${steps + 1}`).toEqual([
          [7, 'confirmed', 1],
          [20, 'confirmed', 1],
        ]);
        expect(await onChain()).toEqual([7, 20]);
        // The deployment and one transaction for each anchor: nothing was sent in vain.
        expect(await evm.nonce()).toBe(3n);
      }
      expect(steps).toBeGreaterThan(30);
    },
    120_000,
  );

  it('two at once do not double anything', async () => {
    const attempts = async (): Promise<void> => {
      const { settle } = createTestAnchoring(pool, log, evm);
      // What one is about to do, the other may have done: its step fails, and it looks again.
      for (let tries = 0; tries < 20; tries++) {
        const failed = await settle().then(
          () => false,
          () => true,
        );
        if (!failed) return;
      }
      throw new Error('it never settled');
    };
    for (const size of [3, 5, 9]) {
      log.grow(size);
      await Promise.all([attempts(), attempts()]);
    }
    expect(await onChain()).toEqual([3, 5, 9]);
    expect((await rows()).map(([size, state]) => [size, state])).toEqual([
      [3, 'confirmed'],
      [5, 'confirmed'],
      [9, 'confirmed'],
    ]);
  });

  it('a reorganisation that drops the anchor leads back to logged, and the same transaction is sent again', async () => {
    const anchoring = createTestAnchoring(pool, log, evm);
    log.grow(4);
    await anchoring.settle();
    await chain.call('anvil_reorg', 1, []);
    expect(await onChain()).toEqual([]);
    expect(await anchoring.round()).toBe('moved');
    expect(await rows()).toEqual([[4, 'sent', 1]]);
    await anchoring.settle();
    expect(await rows()).toEqual([[4, 'confirmed', 1]]);
    expect(await onChain()).toEqual([4]);
  });

  it('a chain set back over several anchors gets all of them again, in their order', async () => {
    const anchoring = createTestAnchoring(pool, log, evm);
    log.grow(4);
    await anchoring.settle();
    const before = await chain.call<string>('evm_snapshot');
    for (const size of [6, 8, 11]) {
      log.grow(size);
      await anchoring.settle();
    }
    await chain.call('evm_revert', before);
    expect(await onChain()).toEqual([4]);
    log.grow(15);
    await anchoring.settle();
    expect(await onChain()).toEqual([4, 6, 8, 11, 15]);
    expect(await rows()).toEqual([4, 6, 8, 11, 15].map((size) => [size, 'confirmed', 1]));
  });

  it('a chain that lost everything, the contract too, gets everything again', async () => {
    const anchoring = createTestAnchoring(pool, log, evm);
    for (const size of [4, 6]) {
      log.grow(size);
      await anchoring.settle();
    }
    await chain.reset();
    await anchoring.settle();
    expect(await onChain()).toEqual([4, 6]);
    expect((await rows()).map(([size, state]) => [size, state])).toEqual([
      [4, 'confirmed'],
      [6, 'confirmed'],
    ]);
  });

  it('the chain itself killed -9, mid-way and after: one anchor of every size', async () => {
    const kept = await startChain({ keep: true });
    try {
      const anchoring = createTestAnchoring(pool, log, await connectTestChain(kept));
      for (const size of [2, 3, 5]) {
        log.grow(size);
        await anchoring.round();
        await anchoring.round();
        await kept.crash();
        await anchoring.settle();
        await kept.crash();
        await anchoring.settle();
      }
      expect(await anchoredSizes(kept, evm.contract)).toEqual([2, 3, 5]);
      expect((await rows()).map(([size, state]) => [size, state])).toEqual([
        [2, 'confirmed'],
        [3, 'confirmed'],
        [5, 'confirmed'],
      ]);
    } finally {
      await kept.stop();
    }
  });

  it('is anchored only when the block is deep enough', async () => {
    const anchoring = createTestAnchoring(pool, log, evm, { confirmations: 3n });
    log.grow(4);
    await anchoring.rest();
    expect(await rows()).toEqual([[4, 'sent', 1]]);
    await chain.call('anvil_mine', '0x1');
    await anchoring.rest();
    expect(await rows()).toEqual([[4, 'sent', 1]]);
    await chain.call('anvil_mine', '0x1');
    await anchoring.rest();
    expect(await rows()).toEqual([[4, 'confirmed', 1]]);
  });

  it('a transaction that nobody mines is outbid, and only one of the two is mined', async () => {
    let now = instant(0);
    const anchoring = createTestAnchoring(pool, log, evm, { now: () => now });
    log.grow(4);
    await anchoring.settle();
    await chain.call('evm_setAutomine', false);
    log.grow(9);
    await anchoring.rest();
    now = addMs(now, 600_000);
    await anchoring.rest();
    expect(await rows()).toEqual([
      [4, 'confirmed', 1],
      [9, 'sent', 2],
    ]);
    await chain.call('evm_setAutomine', true);
    await chain.call('anvil_mine', '0x1');
    await anchoring.settle();
    expect(await rows()).toEqual([
      [4, 'confirmed', 1],
      [9, 'confirmed', 2],
    ]);
    expect(await onChain()).toEqual([4, 9]);
    expect(await evm.nonce()).toBe(3n);
  });

  it('a table that was set back learns from the chain what is anchored', async () => {
    const anchoring = createTestAnchoring(pool, log, evm);
    log.grow(4);
    await anchoring.settle();
    const [known] = await anchoring.anchors.confirmedUpTo(4n);
    await pool.query('truncate log.anchors, log.anchor_transactions');
    await anchoring.settle();
    expect(await rows()).toEqual([[4, 'confirmed', 0]]);
    expect((await anchoring.anchors.confirmedUpTo(4n))[0]?.blockHash).toBe(known?.blockHash);
    expect(await onChain()).toEqual([4]);
  });

  it('anchors nothing on top of a head that the log never had', async () => {
    const anchoring = createTestAnchoring(pool, log, evm);
    log.grow(9);
    await anchoring.settle();
    log.grow(8);
    await expect(anchoring.round()).rejects.toThrow(AnchorConflictError);
    log.grow(12);
    const forged: TestLog = { ...log, rootAt: async () => new Uint8Array(32) };
    await expect(createTestAnchoring(pool, forged, evm).round()).rejects.toThrow(AnchorConflictError);
    expect(await onChain()).toEqual([9]);
  });
});
