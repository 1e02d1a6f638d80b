import type { Pool } from 'pg';
import type { AppendRequest } from '../request.ts';

/** The batch is durable from `first` on, or nothing was written because of the streams named in `moved`. */
export type WriteOutcome =
  | { readonly committed: true; readonly first: bigint }
  | { readonly committed: false; readonly moved: ReadonlySet<string> };

const APPEND = {
  name: 'log-append',
  text: 'select first_position, actual_revisions from log.append($1, $2, $3, $4, $5, $6, $7, $8)',
  rowMode: 'array',
} as const;

type AppendRow = [first: string | bigint | null, actual: (string | null)[] | null];

/** One statement, one transaction, one round trip. */
export const writeBatch = async (pool: Pool, requests: readonly AppendRequest[]): Promise<WriteOutcome> => {
  const streams: string[] = [];
  const expected: (bigint | null)[] = [];
  const workflowIds: (string | null)[] = [];
  const runIds: (string | null)[] = [];
  const eventParts: number[] = [];
  const revisions: bigint[] = [];
  const types: string[] = [];
  const envelopes: string[] = [];
  const seen = new Set<string>();

  for (const { parts, origin } of requests) {
    for (const part of parts) {
      streams.push(part.stream);
      expected.push(seen.has(part.stream) ? null : part.expected);
      seen.add(part.stream);
      workflowIds.push(origin.workflowId);
      runIds.push(origin.runId);
      let revision = part.expected;
      for (let index = 0; index < part.envelopes.length; index++) {
        revision += 1n;
        eventParts.push(streams.length);
        revisions.push(revision);
        types.push(part.types[index] as string);
        envelopes.push(part.envelopes[index] as string);
      }
    }
  }

  const { rows } = await pool.query<AppendRow>({
    ...APPEND,
    values: [
      names(streams),
      numbers(expected),
      names(workflowIds),
      names(runIds),
      numbers(eventParts),
      numbers(revisions),
      types.join('\n'),
      envelopes.join('\n'),
    ],
  });
  const [first, actual] = rows[0] as AppendRow;
  if (first !== null) return { committed: true, first: BigInt(first) };
  const moved = streams.filter(
    (_, part) => expected[part] !== null && BigInt(actual?.[part] ?? -1) !== expected[part],
  );
  return { committed: false, moved: new Set(moved) };
};

/** Array literals. pg's own would quote every number and look for what a name cannot hold. */
const numbers = (values: readonly (number | bigint | null)[]): string =>
  `{${values.map((value) => value ?? 'null').join(',')}}`;

const names = (values: readonly (string | null)[]): string =>
  `{${values.map((value) => (value === null ? 'null' : `"${value}"`)).join(',')}}`;
