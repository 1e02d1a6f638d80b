import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { type AwardInput, award } from '../../domain/auction/award.ts';
import { HARD_MARKETS, type HardMarket } from '../../domain/auction/hard-markets.fixture.ts';
import { toMicro } from '../../domain/money.ts';
import { replaceMember } from '../../domain/quorum/replace.ts';
import { TYPE_UNAVAILABILITY } from '../../domain/tiers.ts';
import { createSolver, SolverBusy, type SolverOptions, type SolverPool } from './solver.ts';

let solver: SolverPool;
const open = (options: SolverOptions = {}): SolverPool => {
  solver = createSolver(options);
  return solver;
};
afterEach(() => solver.close());

const questionOf = (bids: number, number = 1): AwardInput => ({
  tier: 'platinum',
  ceiling: toMicro('2000000'),
  bids: (HARD_MARKETS['price is reliability'] as HardMarket)(bids, number),
  typeUnavailability: TYPE_UNAVAILABILITY,
  seed: 'ab'.repeat(32),
});

describe('solver', () => {
  it('answers a small market at once, without a thread', async () => {
    const input = questionOf(14);
    expect(await open().award(input)).toEqual(award(input));
    expect(solver.load()).toEqual({ threads: 0, waiting: 0 });
  });

  it('answers a large one beside the event loop, as the function does to the byte', async () => {
    const input = questionOf(600);
    let done = false;
    const asked = open()
      .award(input)
      .finally(() => void (done = true));
    let turns = 0;
    for (; !done; turns++) await turn();
    // On this thread there would have been none between question and answer.
    expect(turns).toBeGreaterThan(10);
    expect(JSON.stringify(await asked)).toBe(JSON.stringify(award(input)));
    expect(solver.load()).toEqual({ threads: 1, waiting: 0 });
  });

  it('replaces members there too', async () => {
    const { bids, ...rest } = questionOf(400);
    const survivors = bids.slice(0, 2).map((bid) => ({ ...bid, payment: bid.price }));
    const input = { ...rest, survivors, reserve: bids.slice(2), barredOwners: [] };
    expect(await open().replaceMember(input)).toEqual(replaceMember(input));
    expect(solver.load().threads).toBe(1);
  });

  it('refuses what its queue has no room for, and answers the rest', async () => {
    const pool = open({ threads: 1, waiting: 1 });
    const [first, second] = [pool.award(questionOf(60, 1)), pool.award(questionOf(60, 2))];
    await expect(pool.award(questionOf(60, 3))).rejects.toThrow(SolverBusy);
    expect(await first).toEqual(award(questionOf(60, 1)));
    expect(await second).toEqual(award(questionOf(60, 2)));
    expect(await pool.award(questionOf(60, 3))).toEqual(award(questionOf(60, 3)));
  });

  it('answers a question once that is asked again meanwhile', async () => {
    const pool = open({ threads: 1, waiting: 1 });
    const asked = Array.from({ length: 8 }, () => pool.award(questionOf(60)));
    const [answer] = await Promise.all(asked);
    expect(answer).toEqual(award(questionOf(60)));
  });

  it('fails a question whose thread dies, and starts another for the next', async () => {
    const program = new URL(
      `data:text/javascript,${encodeURIComponent(`
        import { parentPort } from 'node:worker_threads';
        parentPort.on('message', ({ input }) => input.seed === 'die' ? process.exit(3) : parentPort.postMessage({ ok: false }));
      `)}`,
    );
    const pool = open({ threads: 1, program });
    const dying = pool.award({ ...questionOf(60), seed: 'die' });
    const waiting = pool.award(questionOf(60));
    await expect(dying).rejects.toThrow('ended with code 3');
    expect(await waiting).toEqual({ ok: false });
  });

  it('fails what is under way when it closes', async () => {
    const pool = open({ threads: 1 });
    const asked = [pool.award(questionOf(900, 1)), pool.award(questionOf(900, 2))];
    const outcomes = Promise.allSettled(asked);
    await pool.close();
    expect((await outcomes).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });
});
