import type { CustomTypesConfig, Pool } from 'pg';
import type { RecordedEvent } from '../../../domain/event.ts';
import {
  type DecidedCommand,
  type Head,
  NO_STREAM,
  type ReadAllOptions,
  type ReadStreamOptions,
} from '../../../domain/ports/event-store.ts';
import { type Upcasters, upcast } from '../../../domain/upcasters.ts';

export interface Reader {
  stream(stream: string, options?: ReadStreamOptions): Promise<RecordedEvent[]>;
  streams(
    streams: readonly string[],
    after?: ReadonlyMap<string, bigint>,
  ): Promise<ReadonlyMap<string, RecordedEvent[]>>;
  names(prefix: string, after: string, limit: number): Promise<readonly string[]>;
  commands(stream: string, commandIds: readonly string[]): Promise<readonly DecidedCommand[]>;
  all(options: ReadAllOptions): Promise<RecordedEvent[]>;
  head(): Promise<Head>;
}

/** Events of one row: enough to make decoding cheap, few enough to be decoded while the server works on the next. */
const CHUNK = 100;

/** The events of `found`, in its order, as JSON text: content is parsed once and without a decoder per column. */
const CHUNK_OF_FOUND = `
  select '{"hashes":"' || encode(string_agg(hash, ''), 'hex')
      || '","times":"' || encode(string_agg(timestamptz_send(recorded_at), ''), 'hex')
      || '","workflowIds":"' || string_agg(coalesce(workflow_id, ''), ' ')
      || '","runIds":"' || string_agg(coalesce(run_id, ''), ' ')
      || '","events":[' || string_agg(position || ',' || envelope, ',') || ']}' as chunk`;

/**
 * A page as rows of text, a chunk of events each, in order. Hashes and times have a fixed width, names hold no space. The
 * bounds of the chunks are found first.
 */
const pageQuery = (key: 'position' | 'revision', where: string) => `
  select content.chunk
    from (select min(${key}) as first, max(${key}) as last
            from (select ${key}, row_number() over (order by ${key}) - 1 as n
                    from (select ${key} from log.events where ${where} order by ${key} limit $2) found) numbered
           group by n / ${CHUNK}
           order by first) bounds
   cross join lateral (${CHUNK_OF_FOUND}
       from (select * from log.events
              where ${where} and ${key} between bounds.first and bounds.last order by ${key}) found
   ) content`;

/** What of an envelope is read back. */
type Envelope = Pick<
  RecordedEvent,
  | 'id'
  | 'stream'
  | 'type'
  | 'schemaVersion'
  | 'data'
  | 'occurredAt'
  | 'actor'
  | 'correlationId'
  | 'causationId'
  | 'traceparent'
> & { readonly revision: number };

interface Chunk {
  readonly hashes: string;
  readonly times: string;
  readonly workflowIds: string;
  readonly runIds: string;
  /** Position and envelope in turn. */
  readonly events: readonly (number | Envelope)[];
}

/**
 * A parameter whose value is kept from the planner, so that the server plans a statement once per connection: where a value
 * promises fewer rows than others might, it makes a plan of its own for every call, which costs more than the call.
 */
const opaque = (parameter: string): string => `(select ${parameter})`;

/**
 * Runs of streams, each by itself: its events, and no others, are met once. Revisions have no gap, so the bounds of the
 * chunks follow from the first and the last.
 */
const STREAMS = {
  name: 'log-streams',
  text: `
  select content.chunk
    from unnest(${opaque('$1::text[]')}, ${opaque('$2::bigint[]')}, ${opaque('$3::bigint[]')}) run(stream, first, last)
   cross join lateral (
     select e.revision from log.events e where e.stream = run.stream order by e.revision desc limit 1
   ) newest
   cross join lateral generate_series(run.first, least(run.last, newest.revision), ${CHUNK}) bound
   cross join lateral (${CHUNK_OF_FOUND}
       from (select * from log.events e
              where e.stream = run.stream and e.revision between bound and least(bound + ${CHUNK - 1}, run.last)
              order by e.revision) found
   ) content`,
};

/** The next few events of the log, and a few of one stream: what most reads ask for. */
const NEXT = {
  name: 'log-next',
  text: `${CHUNK_OF_FOUND}
       from (select * from log.events
              where position > ${opaque('$1::bigint')} order by position limit ${CHUNK}) found`,
};
const NEXT_OF_STREAM = {
  name: 'log-next-of-stream',
  text: `${CHUNK_OF_FOUND}
       from (select * from log.events
              where stream = $1 and revision >= $2 and revision <= $3 order by revision limit ${CHUNK}) found`,
};

/** From one name to the next, by the index of streams and revisions. */
const NAMES = {
  name: 'log-stream-names',
  text: `
  with recursive named as (
    (select stream from log.events where stream >= $1 and stream > $2 order by stream limit 1)
    union all
    select (select stream from log.events where stream > named.stream order by stream limit 1)
      from named where starts_with(stream, $1)
  )
  select stream from named where starts_with(stream, $1) limit $3`,
  rowMode: 'array',
} as const;

/** The newest revision of a stream up to a position, -1 for none: revisions have no gap, so half of what is left is left out each time. */
const REVISION_AT = {
  name: 'log-revision-at',
  text: `
  with recursive halved(low, high) as (
    select -1::bigint, coalesce((select max(revision) from log.events where stream = $1), -1)
    union all
    select case when e.position <= $2 then middle else low end,
           case when e.position <= $2 then high else middle - 1 end
      from halved
     cross join lateral (select (low + high + 1) / 2 as middle) halfway
      join log.events e on e.stream = $1 and e.revision = middle
     where low < high
  )
  select low from halved where low = high`,
  rowMode: 'array',
} as const;

const COMMANDS = {
  name: 'log-commands',
  text: `select command_id, first_revision, last_revision, position from log.commands
          where stream = $1 and command_id = any($2) order by first_revision`,
  rowMode: 'array',
} as const;

type CommandRow = [id: string, first: string | bigint, last: string | bigint, position: string | bigint];

const END = 2n ** 63n - 1n;

export const createReader = (pool: Pool, upcasters: Upcasters): Reader => {
  const decode = (chunk: string): RecordedEvent[] => eventsOf(chunk).map((event) => upcast(upcasters, event));
  // As the parser of the only column, it runs on each row as it arrives.
  const types = { getTypeParser: () => decode } as CustomTypesConfig;

  const page = async (query: { name: string; text: string }, values: unknown[]): Promise<RecordedEvent[]> => {
    const { rows } = await pool.query<[RecordedEvent[] | null]>({
      ...query,
      values,
      types,
      rowMode: 'array',
    });
    return rows.flatMap(([events]) => events ?? []);
  };

  const stream: Reader['stream'] = async (name, { from = 0n, to = END } = {}) => {
    const first = await page(NEXT_OF_STREAM, [name, from, to]);
    if (first.length < CHUNK) return first;
    return [...first, ...(await page(STREAMS, [[name], [from + BigInt(CHUNK)], [to]]))];
  };

  const revisionAt = async (name: string, position: bigint): Promise<bigint> => {
    const { rows } = await pool.query<[string | bigint]>({ ...REVISION_AT, values: [name, position] });
    return BigInt(rows[0]?.[0] ?? NO_STREAM);
  };

  return {
    stream,
    names: async (prefix, after, limit) => {
      const { rows } = await pool.query<[string]>({ ...NAMES, values: [prefix, after, limit] });
      return rows.map(([name]) => name);
    },
    commands: async (name, commandIds) => {
      const { rows } = await pool.query<CommandRow>({ ...COMMANDS, values: [name, commandIds] });
      return Promise.all(
        rows.map(async ([commandId, first, last, position]) => ({
          commandId,
          events: await stream(name, { from: BigInt(first), to: BigInt(last) }),
          revision: BigInt(last),
          position: BigInt(position),
        })),
      );
    },
    streams: async (streams, after) => {
      const names = [...new Set(streams)];
      const firsts = names.map((name) => (after?.get(name) ?? NO_STREAM) + 1n);
      const [name, from] = [names[0] ?? '', firsts[0] ?? 0n];
      const events =
        names.length === 1
          ? await stream(name, { from })
          : await page(STREAMS, [names, firsts, names.map(() => END)]);
      return Map.groupBy(events, (event) => event.stream);
    },
    all: async ({ after, to, limit, types: wanted, stream: of }) => {
      if (limit === CHUNK && to === undefined && !wanted && of === undefined) return page(NEXT, [after]);
      // Within a stream revision order is position order, and the stream's index serves it.
      const key = of === undefined ? 'position' : 'revision';
      const at = (position: bigint) => (of === undefined ? position : revisionAt(of, position));
      const values: unknown[] = [await at(after), limit];
      const where = [`${key} > $1`];
      if (to !== undefined) where.push(`${key} <= $${values.push(await at(to))}`);
      if (wanted) where.push(`type = any($${values.push(wanted)})`);
      if (of !== undefined) where.push(`stream = $${values.push(of)}`);
      const text = pageQuery(key, where.join(' and '));
      const name = `log-all-by-${key}${to === undefined ? '' : '-to'}${wanted ? '-of-types' : ''}`;
      return page({ name, text }, values);
    },
    head: async () => {
      const { rows } = await pool.query<[string | bigint, string]>({
        name: 'log-head',
        text: `select position, encode(hash, 'hex') from log.head`,
        rowMode: 'array',
      });
      const [position, hash] = rows[0] as [string | bigint, string];
      return { position: BigInt(position), hash };
    },
  };
};

const eventsOf = (text: string): RecordedEvent[] => {
  const { hashes, times, workflowIds, runIds, events: parsed } = JSON.parse(text) as Chunk;
  const workflows = workflowIds.split(' ');
  const runs = runIds.split(' ');
  const events = new Array<RecordedEvent>(workflows.length);
  let recordedAt = '';
  let recordedHex = '';
  for (let index = 0; index < events.length; index++) {
    const envelope = parsed[2 * index + 1] as Envelope;
    const hex = times.slice(index * 16, index * 16 + 16);
    // A batch shares its time.
    if (hex !== recordedHex) {
      recordedHex = hex;
      recordedAt = instantOf(hex);
    }
    events[index] = {
      id: envelope.id,
      stream: envelope.stream,
      revision: BigInt(envelope.revision),
      position: BigInt(parsed[2 * index] as number),
      type: envelope.type,
      schemaVersion: envelope.schemaVersion,
      data: envelope.data,
      occurredAt: envelope.occurredAt,
      actor: envelope.actor,
      correlationId: envelope.correlationId,
      causationId: envelope.causationId,
      traceparent: envelope.traceparent,
      recordedAt,
      workflowId: workflows[index] || null,
      runId: runs[index] || null,
      hash: hashes.slice(index * 64, index * 64 + 64),
    };
  }
  return events;
};

/** PostgreSQL sends timestamptz as a signed count of microseconds since 2000-01-01. */
const EPOCH_2000_MS = Date.UTC(2000, 0, 1);

const instantOf = (hex: string): string => {
  const micros = BigInt.asIntN(64, BigInt(`0x${hex}`));
  const ms = micros / 1000n;
  const rest = String(micros % 1000n).padStart(3, '0');
  return `${new Date(EPOCH_2000_MS + Number(ms)).toISOString().slice(0, -1)}${rest}Z`;
};
