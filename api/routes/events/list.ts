import { z } from 'zod';
import { reject } from '../../../domain/errors.ts';
import type { RecordedEvent } from '../../../domain/event.ts';
import { nameOf } from '../../../domain/schema.ts';
import { defineRoute, respond } from '../../define-route.ts';
import { position, queryNumber } from '../../fields.ts';
import type { VisibleLog } from '../../log-access/visible-log.ts';

/** Chain hashes at positions (position 0: 64 zeros). */
export type ChainHashes = (positions: readonly bigint[]) => Promise<ReadonlyMap<bigint, string>>;

const eventSchema = z
  .object({
    id: z.string(),
    type: z.string(),
    schemaVersion: z
      .int()
      .describe('newest of its type, as data is shown in; the export has what was hashed'),
    stream: z.string(),
    revision: z.string(),
    position,
    occurredAt: z.string(),
    recordedAt: z.string(),
    actor: z.string(),
    correlationId: z.string(),
    causationId: z.string(),
    traceparent: z.string().nullable(),
    workflowId: z.string().nullable(),
    runId: z.string().nullable(),
    data: z.record(z.string(), z.unknown()),
    hash: z.string(),
    prev_hash: z.string(),
  })
  .meta({ id: 'Event' });

const shown = (event: RecordedEvent, hashes: ReadonlyMap<bigint, string>): z.input<typeof eventSchema> => {
  const previous = hashes.get(event.position - 1n);
  if (previous === undefined) throw new Error(`no chain hash before position ${event.position}`);
  const { data, hash, position: at, revision, ...rest } = event;
  return {
    ...rest,
    revision: String(revision),
    position: String(at),
    data,
    hash,
    prev_hash: previous,
  };
};

export const listEvents = ({
  visibleLog,
  chainHashes,
}: {
  visibleLog: VisibleLog;
  chainHashes: ChainHashes;
}) =>
  defineRoute(
    {
      method: 'GET',
      path: '/v1/events',
      summary: 'The log in order: own streams, or all of it for an auditor',
      tag: 'events',
      access: 'any',
      query: z.strictObject({
        from: position.default('0').describe('events after this position'),
        limit: queryNumber(z.int().min(1).max(500)).default(50),
        stream: nameOf(100).optional(),
      }),
      responses: {
        200: z.object({ events: z.array(eventSchema), next_from: position }).meta({ id: 'EventPage' }),
      },
      errors: ['RESOURCE_NOT_FOUND'],
    },
    async ({ principal }, { query }) => {
      const page = await visibleLog.page({
        principal,
        after: BigInt(query.from),
        limit: query.limit,
        stream: query.stream,
      });
      if (!page)
        return reject('RESOURCE_NOT_FOUND', 'no such stream', [
          { field: 'stream', rule: 'a stream of yours' },
        ]);
      const hashes = await chainHashes(page.events.map((event) => event.position - 1n));
      return respond(200, {
        events: page.events.map((event) => shown(event, hashes)),
        next_from: String(page.next),
      });
    },
  );
