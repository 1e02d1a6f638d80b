import { Client } from 'pg';
import { expect, test } from 'vitest';
import { createTestDatabase } from '../../test/support/postgres.ts';

const query = async (url: string, text: string): Promise<unknown[]> => {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
};

test('every test database is fresh, in UTF-8, and gone after drop', async () => {
  const first = await createTestDatabase();
  const second = await createTestDatabase();
  await query(first.url, 'CREATE TABLE mark (id int)');
  const tables = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'";
  expect(await query(second.url, tables)).toEqual([]);
  expect(await query(first.url, 'SHOW server_encoding')).toEqual([{ server_encoding: 'UTF8' }]);
  await Promise.all([first.drop(), second.drop()]);
  await expect(query(first.url, 'SELECT 1')).rejects.toThrow('does not exist');
});
