import { bytesToHex } from '@noble/hashes/utils.js';
import type { Pool } from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { merkleTree } from '../../domain/merkle.ts';
import { type EventStore, NO_STREAM } from '../../domain/ports/event-store.ts';
import { emptyLog } from '../../test/contract/empty-log.ts';
import { sampleAppend } from '../../test/contract/events.ts';
import { createTestDatabase, type TestDatabase } from '../../test/support/postgres.ts';
import { leafOf } from '../event-store/hash.ts';
import { createPostgresEventStore } from '../event-store/postgres/store.ts';
import { migrate } from '../postgres/migrate.ts';
import { createPool } from '../postgres/pool.ts';
import { verifyCheckpoint, verifyConsistency, verifyInclusion } from '../verify/index.ts';
import { followLog } from './follow.ts';
import { growLog } from './grow.ts';
import { createCheckpointSigner } from './signer.ts';
import { type Checkpoint, createTransparencyLog } from './transparency-log.ts';

const signer = createCheckpointSigner([new Uint8Array(32).fill(3)]);
let database: TestDatabase;
let pool: Pool;
let store: EventStore;

beforeAll(async () => {
  database = await createTestDatabase();
  await migrate(database.url);
  pool = createPool(database.url, { name: 'test', max: 8 });
  store = createPostgresEventStore({ pool });
});
afterAll(async () => {
  await store.close();
  await pool.end();
  await database.drop();
});
beforeEach(async () => {
  await emptyLog(database.url);
  await pool.query('truncate log.tiles, log.checkpoints');
});

let streams = 0;
const append = async (count: number): Promise<bigint> => {
  const result = await store.append(sampleAppend(`sample-${streams++}`, NO_STREAM, count));
  if (!result.ok) throw new Error('conflict');
  return result.position;
};
const leaves = async (): Promise<Uint8Array[]> =>
  (await store.readAll({ after: 0n, limit: 100_000 })).map((event) => new Uint8Array(leafOf(event)));
const newest = async (): Promise<Checkpoint> => (await createTransparencyLog(pool).newest()) as Checkpoint;
const stored = async (): Promise<unknown[]> =>
  (await pool.query('select level, index, hashes from log.tiles order by level, index')).rows;

describe('the transparency log', () => {
  it('is the tree of the leaf hashes of all events, under a checkpoint of its key', async () => {
    expect(await createTransparencyLog(pool).newest()).toBeNull();
    expect(await growLog({ pool, signer }, 0n)).toEqual({ size: 0n });
    for (const count of [1, 2, 254, 1, 700]) await growLog({ pool, signer }, await append(count));
    const { note, root, size, publicKey } = await newest();
    expect(size).toBe(958n);
    expect(bytesToHex(root)).toBe(bytesToHex(merkleTree(await leaves()).root));
    expect(verifyCheckpoint({ checkpoint: note, publicKey, origin: signer.origin })).toMatchObject({
      valid: true,
      size,
      root: new Uint8Array(root),
    });
  });

  it('proves every event in every tree that was signed, and each tree a start of the next', async () => {
    for (const count of [1, 2, 253, 1, 1, 300]) await growLog({ pool, signer }, await append(count));
    const log = createTransparencyLog(pool);
    const { rows } = await pool.query<{ size: bigint; root: Buffer }>(
      'select size, root from log.checkpoints',
    );
    expect(rows.map(({ size }) => size)).toEqual([1n, 3n, 256n, 257n, 258n, 558n]);
    const all = await leaves();
    for (const { size, root } of rows) {
      for (let index = 0n; index < size; index += 13n) {
        const { leafHash, path } = await log.inclusion(index, size);
        expect(bytesToHex(leafHash)).toBe(bytesToHex(all[Number(index)] as Uint8Array));
        expect(verifyInclusion({ leafHash, index, size, root, path })).toBe(true);
      }
      for (const older of rows.filter((each) => each.size <= size)) {
        const path = await log.consistency(older.size, size);
        const proof = { size1: older.size, size2: size, root1: older.root, root2: root, path };
        expect(verifyConsistency(proof)).toBe(true);
      }
    }
    await expect(log.inclusion(558n, 558n)).rejects.toThrow(RangeError);
    await expect(log.consistency(0n, 5n)).rejects.toThrow(RangeError);
  });

  it('gives the same tiles when two processes grow it at once, again and again', async () => {
    for (let round = 0; round < 12; round++) {
      const [half, whole] = [await append(40), await append(90)];
      await Promise.all([
        growLog({ pool, signer }, half),
        growLog({ pool, signer }, whole),
        growLog({ pool, signer }, whole),
      ]);
    }
    const grown = await stored();
    const { root, size } = await newest();
    expect(size).toBe(1560n);
    await pool.query('truncate log.tiles, log.checkpoints');
    await growLog({ pool, signer }, size);
    expect(await stored()).toEqual(grown);
    expect((await newest()).root).toEqual(root);
  });

  it('signs nothing on top of tiles that were altered', async () => {
    await growLog({ pool, signer }, await append(5));
    await pool.query(`update log.tiles set hashes = set_byte(hashes, 3, get_byte(hashes, 3) # 1)`);
    await expect(growLog({ pool, signer }, await append(1))).rejects.toThrow('do not match its checkpoint');
    expect((await newest()).size).toBe(5n);
    await expect(createTransparencyLog(pool).inclusion(5n, 6n)).rejects.toThrow('no such hashes');
  });

  it('catches up with a log of many batches', async () => {
    await Promise.all(Array.from({ length: 21 }, () => append(1000)));
    expect(await growLog({ pool, signer }, 21_000n)).toEqual({ size: 10_000n });
    expect(await growLog({ pool, signer }, 21_000n)).toEqual({ size: 20_000n });
    expect(await growLog({ pool, signer }, 21_000n)).toEqual({ size: 21_000n });
    expect(bytesToHex((await newest()).root)).toBe(bytesToHex(merkleTree(await leaves()).root));
  });
});

describe('followLog', () => {
  it('follows the log', async () => {
    const stop = new AbortController();
    const warnings: string[] = [];
    const following = followLog(
      {
        pool,
        signer,
        store,
        log: { warn: (_, message) => warnings.push(message) },
      },
      stop.signal,
    );
    const size = async () => (await createTransparencyLog(pool).newest())?.size ?? 0n;
    await append(3);
    await expect.poll(size).toBe(3n);
    await append(2);
    await append(4);
    await expect.poll(size).toBe(9n);
    expect(warnings).toEqual([]);
    stop.abort();
    await following;
  });

  it('goes on after a database that failed', async () => {
    const stop = new AbortController();
    const warnings: string[] = [];
    let failures = 3;
    const following = followLog(
      {
        pool,
        signer,
        store: {
          heads: (after, signal) => {
            if (failures-- > 0) throw new Error('away');
            return store.heads(after, signal);
          },
        },
        log: { warn: (_, message) => warnings.push(message) },
      },
      stop.signal,
    );
    await append(4);
    await expect
      .poll(async () => (await createTransparencyLog(pool).newest())?.size, { timeout: 5_000 })
      .toBe(4n);
    expect(warnings).toEqual(['the transparency log waits']);
    stop.abort();
    await following;
  });
});
