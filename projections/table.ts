import { isMicro } from '../domain/money.ts';
import type { Session } from './projection.ts';

/** How a value is stored and read back. Amounts, positions and instants are strings in a row, as they are in events. */
const SQL_TYPES = {
  text: 'text',
  boolean: 'boolean',
  integer: 'integer',
  /** Whole number that outgrows an integer, below 2^53. */
  long: 'bigint',
  real: 'double precision',
  /** Integer number of micro-units of any size. */
  amount: 'numeric',
  /** Log position or stream revision. */
  position: 'bigint',
  /** RFC 3339 with `Z`, to the millisecond. */
  instant: 'timestamptz',
  json: 'jsonb',
} as const;

export type ColumnType = keyof typeof SQL_TYPES;

/** PostgreSQL's B-trees take keys of 2704 bytes; a UTF-16 unit takes three of UTF-8 at most. */
const MAX_INDEXED_LENGTH = 900;
const MAX_INTEGER = 2 ** 31 - 1;
/** Longer than every sum that is kept; `numeric` ends far beyond. */
const MAX_DIGITS = 100;

/** RFC 3339 in UTC with a date that exists: of the 30th of February PostgreSQL and JavaScript think differently. */
const isStorableInstant = (value: string): boolean => {
  const ms = /^(?!0000)\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/.test(value)
    ? Date.parse(value)
    : Number.NaN;
  return !Number.isNaN(ms) && new Date(ms).toISOString().slice(0, 10) === value.slice(0, 10);
};

const HOLDS: { readonly [T in ColumnType]: (value: unknown) => boolean } = {
  text: (value) => typeof value === 'string',
  boolean: (value) => typeof value === 'boolean',
  integer: (value) => Number.isInteger(value) && Math.abs(value as number) <= MAX_INTEGER,
  long: Number.isSafeInteger,
  real: Number.isFinite,
  amount: (value) => isMicro(value) && value.length <= MAX_DIGITS,
  position: (value) => typeof value === 'string' && /^\d{1,18}$/.test(value),
  instant: (value) => typeof value === 'string' && isStorableInstant(value),
  json: () => true,
};

/** A table whose rows are plain objects: property `closesAt` is column `closes_at`. */
export interface Table<Row> {
  readonly name: string;
  /** Property names of the primary key. */
  readonly key: readonly (keyof Row & string)[];
  readonly columns: { readonly [Column in keyof Row & string]: ColumnType };
  /** Property names of each further index. */
  readonly indexes?: readonly (readonly (keyof Row & string)[])[];
}

export const columnName = (property: string): string =>
  property.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

const columnsOf = <Row>(table: Table<Row>): [string, ColumnType][] =>
  Object.entries<ColumnType>(table.columns);

/**
 * Holds members of a row to their columns, so that no batch fails for what one event has written: a fold calls it with
 * what an event sets, and whether it throws depends on that event alone.
 * @throws TypeError naming the column.
 */
export const checkMembers = <Row>(table: Table<Row>, members: Partial<Row>): void => {
  for (const [property, value] of Object.entries(members)) {
    const type: ColumnType | undefined = table.columns[property as keyof Row & string];
    if (type === undefined) throw new TypeError(`${table.name} has no column ${columnName(property)}`);
    const isKey = (table.key as readonly string[]).includes(property);
    if (value === null || value === undefined ? isKey : !HOLDS[type](value))
      throw new TypeError(`${columnName(property)} is no ${type}`);
    if (typeof value === 'string' && isIndexed(table, property) && value.length > MAX_INDEXED_LENGTH)
      throw new TypeError(`${columnName(property)} is longer than ${MAX_INDEXED_LENGTH} characters`);
  }
};

const isIndexed = <Row>({ key, indexes = [] }: Table<Row>, property: string): boolean =>
  [key, ...indexes].some((properties) => (properties as readonly string[]).includes(property));

/** `create table` and its indexes. Every column but the key may be null. */
export const tableDdl = <Row>(table: Table<Row>, qualified: string): string => {
  const columns = columnsOf(table).map(([property, type]) => `${columnName(property)} ${SQL_TYPES[type]}`);
  const key = table.key.map(columnName).join(', ');
  const indexes = (table.indexes ?? []).map(
    (properties) => `create index on ${qualified} (${properties.map(columnName).join(', ')});`,
  );
  return [`create table ${qualified} (${columns.join(', ')}, primary key (${key}));`, ...indexes].join('\n');
};

const selected = ([property, type]: [string, ColumnType], alias: string): string => {
  const column = `${alias}${columnName(property)}`;
  if (type === 'amount' || type === 'position') return `${column}::text as "${property}"`;
  if (type === 'long') return `${column}::double precision as "${property}"`;
  if (type === 'instant') {
    return `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "${property}"`;
  }
  return `${column} as "${property}"`;
};

/** Select list that gives rows back as they were written. `alias` names the table where a query joins several. */
export const selectList = <Row>(table: Table<Row>, alias = ''): string =>
  columnsOf(table)
    .map((column) => selected(column, alias && `${alias}.`))
    .join(', ');

/** What happens to a property on a key that exists: `target` is the stored row, `excluded` the new one, which replaces it by default. */
type Merge<Row> = { readonly [Column in keyof Row & string]?: string };

/** One statement that inserts any number of rows, given as one JSON parameter. */
const upsertSql = <Row>(table: Table<Row>, qualified: string, merge: Merge<Row>): string => {
  const properties = columnsOf(table).map(([property]) => property);
  const names = properties.map(columnName);
  const typed = columnsOf(table).map(([property, type]) => `"${property}" ${SQL_TYPES[type]}`);
  const set = properties
    .filter((property) => !(table.key as readonly string[]).includes(property))
    .map((property) => {
      const custom = merge[property as keyof Row & string];
      return `${columnName(property)} = ${custom ?? `excluded.${columnName(property)}`}`;
    });
  const conflict = set.length > 0 ? `do update set ${set.join(', ')}` : 'do nothing';
  return (
    `insert into ${qualified} as target (${names.join(', ')}) ` +
    `select ${properties.map((property) => `"${property}"`).join(', ')} ` +
    `from json_to_recordset($1::json) as r(${typed.join(', ')}) ` +
    `on conflict (${table.key.map(columnName).join(', ')}) ${conflict}`
  );
};

/** The statements that write rows of a table, by where they are written: each is made once. */
const upserts = new WeakMap<object, Map<string, string>>();

/** Writes `rows` to `qualified`, in one statement that the server plans once per session; no round trip for none. */
export const writeRows = async <Row>(
  session: Session,
  table: Table<Row>,
  qualified: string,
  rows: readonly Row[],
  merge: Merge<Row> = {},
): Promise<void> => {
  if (rows.length === 0) return;
  const known = upserts.get(table) ?? new Map<string, string>();
  upserts.set(table, known);
  const text = known.get(qualified) ?? upsertSql(table, qualified, merge);
  known.set(qualified, text);
  await session.query({ name: `write ${qualified}`, text, values: [JSON.stringify(rows)] });
};
