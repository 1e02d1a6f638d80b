import type { Pool } from 'pg';
import type { RecordedEvent } from '../../../domain/event.ts';
import type { JsonObject } from '../../../domain/json.ts';
import type { Head, ReadAllOptions, ReadStreamOptions } from '../../../domain/ports/event-store.ts';
import { type Upcasters, upcast } from '../../../domain/upcasters.ts';

export interface Reader {
  stream(stream: string, options?: ReadStreamOptions): Promise<RecordedEvent[]>;
  all(options: ReadAllOptions): Promise<RecordedEvent[]>;
  head(): Promise<Head>;
}

/**
 * The page as one row of texts, so that the content is parsed once and no row is decoded by itself. Positions precede
 * their envelopes in the same JSON array; hashes and times have a fixed width.
 */
const onePage = (rows: string): string => `
  select string_agg(position || ',' || envelope, ','),
         encode(string_agg(hash, ''), 'hex'),
         encode(string_agg(timestamptz_send(recorded_at), ''), 'hex'),
         string_agg(coalesce(workflow_id, ''), E'\\n'),
         string_agg(coalesce(run_id, ''), E'\\n')
    from (select position, envelope, hash, recorded_at, workflow_id, run_id from log.events ${rows}) page`;

type PageRow = [content: string | null, hashes: string, times: string, workflowIds: string, runIds: string];

/** What of an envelope is read back. */
interface Envelope {
  readonly id: string;
  readonly stream: string;
  readonly revision: number;
  readonly type: string;
  readonly schemaVersion: number;
  readonly data: JsonObject;
  readonly occurredAt: string;
  readonly actor: string;
  readonly correlationId: string;
  readonly causationId: string;
  readonly traceparent: string | null;
}

const STREAM = {
  name: 'log-stream',
  text: onePage('where stream = $1 and revision between $2 and $3 order by revision'),
  rowMode: 'array',
} as const;

const END = 2n ** 63n - 1n;

export const createReader = (pool: Pool, upcasters: Upcasters): Reader => {
  const page = async (query: { name: string; text: string; rowMode: 'array' }, values: unknown[]) => {
    const { rows } = await pool.query<PageRow>({ ...query, values });
    const events = eventsOf(rows[0] as PageRow);
    return events.map((event) => upcast(upcasters, event));
  };

  return {
    stream: (stream, { from = 0n, to = END } = {}) => page(STREAM, [stream, from, to]),
    all: ({ after, limit, types, stream }) => {
      const values: unknown[] = [after, limit];
      const where = ['position > $1'];
      if (types) where.push(`type = any($${values.push(types)})`);
      if (stream !== undefined) where.push(`stream = $${values.push(stream)}`);
      // Within a stream revision order is position order, and the stream's index serves it.
      const order = stream === undefined ? 'position' : 'revision';
      const text = onePage(`where ${where.join(' and ')} order by ${order} limit $2`);
      return page({ name: `log-all-by-${order}${types ? '-of-types' : ''}`, text, rowMode: 'array' }, values);
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

const eventsOf = ([content, hashes, times, workflowIds, runIds]: PageRow): RecordedEvent[] => {
  if (content === null) return [];
  const parsed = JSON.parse(`[${content}]`) as (number | Envelope)[];
  const workflows = workflowIds.split('\n');
  const runs = runIds.split('\n');
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
