import { MockActivityEnvironment } from '@temporalio/testing';
import { describe, expect, test } from 'vitest';
import { addMs } from '../domain/time.ts';
import { createFailureDetector, SETTLING_MS } from '../infra/p2p/failure-detector.ts';
import type { PresenceRow } from '../infra/p2p/heartbeats.ts';
import { type Answer, createAskPatiently } from './patience.ts';

const REQUEST = { type: 'destroy-enclave', enclaveId: 'enclave-1' } as const;
const DONE = { type: 'destroyed' } as const;
const UNREACHABLE = { type: 'unreachable', message: 'away', cause: 'node' } as const;
const CUT_OFF = { ...UNREACHABLE, cause: 'engine' } as const;
const REFUSED = { type: 'refused', code: 'RESOURCE_UNAVAILABLE', message: 'no engine answered' } as const;

/**
 * A worker whose time the test moves. `node` is asked once per turn; in between `turn` says what happens: seconds pass
 * (`awake`: with looks and the node's beats, or without), a stall, or a database that is away.
 */
const worker = async () => {
  let ms = 0;
  let wall = '2026-01-01T00:00:00.000Z';
  let away = false;
  let row: PresenceRow = { providerId: 'provider-1', lastSeen: wall, told: 'up', hearableMs: 3_600_000 };
  const detector = createFailureDetector({
    monotonicMs: () => ms,
    beats: async () => {
      if (away) throw new Error('the database is away');
      return [row];
    },
    onError: () => undefined,
  });
  const beat = (): void => {
    wall = addMs(wall, 5_000);
    row = { ...row, lastSeen: wall };
  };
  const world = {
    detector,
    stall: (stalledMs: number): void => {
      ms += stalledMs;
    },
    database: (answers: boolean): void => {
      away = !answers;
    },
    /** For how long some worker has been there for the node. */
    hearable: (hearableMs: number): void => {
      row = { ...row, hearableMs };
    },
    pass: async (seconds: number, options: { readonly beating: boolean }): Promise<void> => {
      for (let second = 0; second < seconds; second++) {
        ms += 1_000;
        if (options.beating && second % 5 === 0) beat();
        await detector.look();
      }
    },
  };
  await world.pass(30, { beating: true });
  return world;
};

type World = Awaited<ReturnType<typeof worker>>;
type Reply = typeof DONE | typeof UNREACHABLE | typeof CUT_OFF | typeof REFUSED;

const ask = async (world: World, replies: (turn: number) => Promise<Reply>, windowMs = 30_000) => {
  let turn = 0;
  const askPatiently = createAskPatiently({
    // The reply belongs to the request's type, which the port's generic cannot see here.
    gateway: { request: async () => (await replies(turn++)) as never },
    detector: world.detector,
    pause: async () => undefined,
  });
  const run = () => askPatiently('provider-1', REQUEST, { windowMs });
  const answer = await new MockActivityEnvironment().run<[], Answer<typeof REQUEST>, typeof run>(run);
  return { ...answer, asked: turn };
};

describe('asking a node patiently', () => {
  test('a node that answers is believed, whatever the worker slept through meanwhile', async () => {
    const world = await worker();
    const answer = await ask(world, async () => {
      world.stall(20_000);
      return DONE;
    });
    expect(answer).toMatchObject({ reply: DONE, missedHeartbeats: 0, asked: 1 });
  });

  test('a node whose beats stop is lost', async () => {
    const world = await worker();
    const answer = await ask(world, async () => {
      await world.pass(6, { beating: false });
      return UNREACHABLE;
    });
    expect(answer).toMatchObject({ reply: { type: 'lost' }, missedHeartbeats: 3, missedInAll: 3, asked: 3 });
  });

  test('settled 43: counts every beat that was missed, not only those in a row', async () => {
    const world = await worker();
    const answer = await ask(
      world,
      async (turn) => {
        if (turn === 4) return DONE;
        await world.pass(turn % 2 === 0 ? 13 : 1, { beating: turn % 2 === 1 });
        return UNREACHABLE;
      },
      600_000,
    );
    expect(answer).toMatchObject({ reply: DONE, missedHeartbeats: 2, missedInAll: 4 });
  });

  test('a worker that stalls for 20 s in the middle of a run loses no healthy node', async () => {
    const world = await worker();
    const answer = await ask(
      world,
      async (turn) => {
        if (turn === 0) {
          world.stall(20_000);
          return UNREACHABLE;
        }
        // Its node has given the old connection up and comes back over a new one.
        if (turn < 4) {
          await world.pass(4, { beating: false });
          return UNREACHABLE;
        }
        await world.pass(60, { beating: true });
        return DONE;
      },
      600_000,
    );
    expect(answer).toMatchObject({ reply: DONE, missedHeartbeats: 0 });
  });

  test('a database that is away for 20 s loses no healthy node', async () => {
    const world = await worker();
    const answer = await ask(world, async (turn) => {
      world.database(turn >= 20);
      await world.pass(1, { beating: false });
      return turn < 30 ? UNREACHABLE : DONE;
    });
    expect(answer).toMatchObject({ reply: DONE, missedHeartbeats: 0 });
  });

  test('a window does not run out while the worker sleeps, and begins anew behind the gap', async () => {
    const world = await worker();
    const answer = await ask(world, async (turn) => {
      if (turn === 0) await world.pass(25, { beating: true });
      if (turn === 1) world.stall(3_600_000);
      if (turn > 1) await world.pass(25, { beating: true });
      return turn < 3 ? UNREACHABLE : DONE;
    });
    expect(answer).toMatchObject({ reply: DONE, asked: 4 });
  });

  test('a node whose only worker died is neither lost nor silent, however long that takes', async () => {
    const world = await worker();
    world.hearable(0);
    const answer = await ask(world, async (turn) => {
      await world.pass(25, { beating: false });
      return turn < 9 ? CUT_OFF : DONE;
    });
    expect(answer).toMatchObject({ reply: DONE, missedHeartbeats: 0, asked: 10 });
  });

  test('what a node refuses for want of an engine counts once a worker has been there for it', async () => {
    const world = await worker();
    world.hearable(0);
    await world.pass(1, { beating: true });
    const answer = await ask(world, async (turn) => {
      await world.pass(1, { beating: true });
      if (turn === 2) world.hearable(1);
      return REFUSED;
    });
    expect(answer).toMatchObject({ reply: REFUSED, asked: 4 });
  });

  test('a node that lives but does not answer within its window is silent', async () => {
    const world = await worker();
    const answer = await ask(world, async () => {
      await world.pass(10, { beating: true });
      return UNREACHABLE;
    });
    expect(answer).toMatchObject({ reply: { type: 'silent' }, missedHeartbeats: 0, asked: 3 });
  });

  test('a refusal is believed where the worker was awake for it, and asked for again where it was not', async () => {
    const awake = await worker();
    expect(await ask(awake, async () => REFUSED)).toMatchObject({ reply: REFUSED, asked: 1 });

    const stalled = await worker();
    const answer = await ask(stalled, async (turn) => {
      // The node could not fetch the module from an engine that slept.
      if (turn === 0) stalled.stall(20_000);
      else await stalled.pass(1, { beating: true });
      return turn < 5 ? REFUSED : DONE;
    });
    expect(answer).toMatchObject({ reply: DONE, asked: 6 });
  });

  test('a node that goes on refusing is believed once nothing of the gap can be behind it', async () => {
    const world = await worker();
    world.stall(20_000);
    const answer = await ask(world, async () => {
      await world.pass(1, { beating: true });
      return REFUSED;
    });
    expect(answer.reply).toEqual(REFUSED);
    expect(answer.asked).toBeGreaterThan(SETTLING_MS / 1_000);
    expect(answer.asked).toBeLessThan(SETTLING_MS / 1_000 + 3);
  });

  test('no question waits longer than a timer can', async () => {
    const world = await worker();
    const timeouts: number[] = [];
    const askPatiently = createAskPatiently({
      gateway: {
        request: async (_, __, { timeoutMs }) => {
          timeouts.push(timeoutMs);
          return DONE as never;
        },
      },
      detector: world.detector,
    });
    await new MockActivityEnvironment().run(() =>
      askPatiently('provider-1', REQUEST, { windowMs: 30 * 86_400_000 }),
    );
    expect(timeouts[0]).toBeLessThan(2 ** 31);
  });
});
