import type { Pool } from 'pg';

const SCHEMAS = ['engine', 'fog', 'log'];

/** The digits of `amount` as a number of its own: not inside a word, a hash or the fraction of another number. */
const aloneIn = (amount: string): RegExp => new RegExp(`(^|[^0-9A-Za-z.])${amount}([^0-9A-Za-z]|$)`);

/** Whether `text` tells `amount`. */
export const tells = (text: string, amount: string): boolean => aloneIn(amount).test(text);

/** Every row of every table of the project that tells `amount`, as text or in bytes. */
export const rowsThatTell = async (pool: Pool, amount: string): Promise<string[]> => {
  const { rows: tables } = await pool.query<{ name: string }>(
    `select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname = any($1)`,
    [SCHEMAS],
  );
  const found: string[] = [];
  for (const { name } of tables) {
    const { rows } = await pool.query<{ row: string }>(
      `select stored::text as row from ${name} stored where stored::text ~ $1 or strpos(stored::text, $2) > 0`,
      [aloneIn(amount).source, Buffer.from(amount).toString('hex')],
    );
    found.push(...rows.map(({ row }) => `${name}: ${row}`));
  }
  return found;
};
