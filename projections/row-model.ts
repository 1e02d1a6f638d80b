import type { DomainEvent, RecordedEvent } from '../domain/event.ts';
import type { Projection } from './projection.ts';
import { checkMembers, columnName, selectList, type Table, tableDdl, writeRows } from './table.ts';

/** The payload of the events of type `T`, also where one interface holds several types. */
type PayloadOf<E extends DomainEvent, T extends string> = E extends { readonly type: infer U }
  ? T extends U
    ? Omit<E, 'type'>
    : never
  : never;

/** Where a row came from: the newest event it shows. */
export interface Positioned {
  readonly position: string;
}

/** A read model with one row per stream. */
export interface RowModel<E extends DomainEvent, Row extends Positioned, First extends E['type']> {
  readonly name: string;
  readonly version: number;
  readonly table: Table<Row>;
  /** First event type of a stream, and the row it makes; `position` is added. */
  readonly first: First;
  readonly create: (data: PayloadOf<E, First>, event: RecordedEvent) => Omit<Row, 'position'>;
  /** What each later event changes. Types left out leave the row, and its position, as they are. */
  readonly on: {
    readonly [T in Exclude<E['type'], First>]?: (
      row: Row,
      data: PayloadOf<E, T>,
      event: RecordedEvent,
    ) => Partial<Omit<Row, 'position'>>;
  };
}

type Change<Row> = (row: Row, data: unknown, event: RecordedEvent) => Partial<Row>;

/** A projection that keeps one row per stream, keyed by the stream id. */
export const rowProjection = <E extends DomainEvent, Row extends Positioned, First extends E['type']>(
  model: RowModel<E, Row, First>,
): Projection<ReadonlyMap<string, Row>, readonly Row[]> => {
  const { table, first } = model;
  const [key] = table.key;
  if (key === undefined || table.key.length > 1)
    throw new Error(`${model.name}: a row model has a key of one column`);
  const columns = selectList(table);
  const changes = model.on as unknown as Readonly<Record<string, Change<Row>>>;

  return {
    name: model.name,
    version: model.version,
    handles: [first, ...Object.keys(changes)],
    tables: [table.name],
    ddl: (names) => tableDdl(table, names(table.name)),
    keyOf: ({ stream }) => stream,

    load: async (session, batch, names) => {
      const seen = new Set<string>();
      const wanted: string[] = [];
      for (const event of batch) {
        if (seen.has(event.stream)) continue;
        seen.add(event.stream);
        // A stream that starts in this batch has no row yet.
        if (event.type !== first) wanted.push(event.stream);
      }
      if (wanted.length === 0) return new Map();
      const qualified = names(table.name);
      const { rows } = await session.query<Row & Record<string, unknown>>({
        name: `load ${qualified}`,
        // The list is kept from the planner, so that it makes one plan for all.
        text: `select ${columns} from ${qualified} where ${columnName(key)} = any((select $1::text[])::text[])`,
        values: [wanted],
      });
      return new Map(rows.map((row) => [String(row[key]), row]));
    },

    fold: (batch, before) => {
      const changed = new Map<string, Row>();
      for (const event of batch) {
        const position = String(event.position);
        if (event.type === first) {
          const row = { ...model.create(event.data as PayloadOf<E, First>, event), position } as Row;
          if (row[key] !== event.stream) throw new Error(`${first} of ${event.stream} names another stream`);
          checkMembers(table, row);
          changed.set(event.stream, row);
          continue;
        }
        const row = changed.get(event.stream) ?? before.get(event.stream);
        if (!row) throw new Error(`${event.type} before ${first} in ${event.stream}`);
        const change = changes[event.type];
        if (!change) throw new Error(`${model.name} does not handle ${event.type}`);
        const members = change(row, event.data, event);
        checkMembers(table, members);
        changed.set(event.stream, { ...row, ...members, position });
      }
      return [...changed.values()];
    },

    apply: (session, rows, names) => writeRows(session, table, names(table.name), rows),

    forget: async (session, stream, names) => {
      await session.query(`delete from ${names(table.name)} where ${columnName(key)} = $1`, [stream]);
    },
  };
};
