import type { Pool } from 'pg';
import type { AppendResult } from '../../../domain/ports/event-store.ts';
import type { AppendRequest, Part } from '../request.ts';
import type { Reader } from './reader.ts';

const STORED = {
  name: 'log-stored',
  text: `
    select coalesce(newest.revision, -1), stored.position, stored.envelopes, previous.envelope
      from unnest($1::text[], $2::bigint[], $3::int[]) with ordinality part(stream, expected, size, n)
      left join lateral (
        select e.revision from log.events e where e.stream = part.stream order by e.revision desc limit 1
      ) newest on true
      left join lateral (
        select max(e.position) as position, string_agg(e.envelope, E'\\n' order by e.revision) as envelopes
          from log.events e
         where e.stream = part.stream and e.revision > part.expected and e.revision <= part.expected + part.size
      ) stored on true
      left join log.events previous on previous.stream = part.stream and previous.revision = part.expected
     order by part.n`,
  rowMode: 'array',
} as const;

type StoredRow = [
  actual: string | bigint,
  position: string | bigint | null,
  envelopes: string | null,
  previous: string | null,
];

/**
 * Why a request was refused: the very same events stand there already (its first result), one of its commands was decided
 * before, or others were first (conflict). Events never change, so reading without a lock is enough. Null when nothing
 * stands in its way: append it again.
 */
export const resolveRefused = async (
  { pool, reader }: { readonly pool: Pool; readonly reader: Pick<Reader, 'commands'> },
  { parts }: AppendRequest,
): Promise<AppendResult | null> => {
  const { rows } = await pool.query<StoredRow>({
    ...STORED,
    values: [
      parts.map((part) => part.stream),
      parts.map((part) => part.expected),
      parts.map((part) => part.envelopes.length),
    ],
  });
  if (parts.every((part, index) => rows[index]?.[2] === part.envelopes.join('\n'))) {
    return { ok: true, position: BigInt(rows.at(-1)?.[1] ?? 0), replayed: true };
  }
  for (const { stream, commands } of parts) {
    if (commands.length === 0) continue;
    const decided = await reader.commands(
      stream,
      commands.map(({ id }) => id),
    );
    if (decided.length > 0) return { ok: false, reason: 'decided', stream, commands: decided };
  }
  const conflicts = parts
    .map((part, index) => conflictOf(part, BigInt(rows[index]?.[0] ?? -1), rows[index]?.[3] ?? null))
    .filter((conflict) => conflict !== null);
  return conflicts[0] ?? null;
};

const conflictOf = (
  { stream, expected, previous }: Part,
  actual: bigint,
  standing: string | null,
): AppendResult | null =>
  actual === expected && (previous === undefined || previous === standing)
    ? null
    : { ok: false, reason: 'conflict', stream, expectedRevision: expected, actualRevision: actual };
