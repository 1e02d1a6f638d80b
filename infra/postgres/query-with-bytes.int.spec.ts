import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import type { Pool } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/support/postgres.ts';
import { createPool } from './pool.ts';
import { queryWithBytes } from './query-with-bytes.ts';

const INSERT = 'insert into kept (name, number, bytes) values ($1, $2, $3)';

let database: TestDatabase;
let pool: Pool;
/** What was written to the connection of the pool. */
const written: Uint8Array[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  pool = createPool(database.url, { name: 'test', max: 1 });
  pool.on('connect', (client) => {
    const { stream } = (client as unknown as { connection: { stream: Socket } }).connection;
    const write: (bytes: Uint8Array) => boolean = stream.write.bind(stream);
    stream.write = (bytes: Uint8Array) => {
      written.push(bytes);
      return write(bytes);
    };
  });
  await pool.query('create table kept (name text, number integer check (number >= 0), bytes bytea)');
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});

test.each([0, 1, 70_000, 1_000_000])('stores %i bytes as they are, beside other parameters', async (size) => {
  const bytes = randomBytes(size);
  await queryWithBytes(pool, INSERT, ['naïve', `${size}`], bytes);
  const { rows } = await pool.query('select name, bytes from kept where number = $1', [size]);
  expect(rows).toEqual([{ name: 'naïve', bytes }]);
});

test('hands the bytes to the connection without a copy', async () => {
  const bytes = randomBytes(100_000);
  written.length = 0;
  await queryWithBytes(pool, INSERT, ['own', '7'], bytes);
  expect(written.some(({ buffer }) => buffer === bytes.buffer)).toBe(true);
  expect(written.filter(({ length }) => length > 1_000)).toEqual([bytes]);
});

test('a statement that fails says why, and the connection goes on', async () => {
  await expect(queryWithBytes(pool, INSERT, ['x', '-1'], randomBytes(10))).rejects.toMatchObject({
    code: '23514',
  });
  await expect(queryWithBytes(pool, INSERT, ['x', 'one'], randomBytes(10))).rejects.toMatchObject({
    code: '22P02',
  });
  await queryWithBytes(pool, INSERT, ['after', '9'], randomBytes(10));
  expect((await pool.query('select number from kept where name = $1', ['after'])).rows).toEqual([
    { number: 9 },
  ]);
});
