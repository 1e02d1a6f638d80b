import type { Pool } from 'pg';
import { leafOfEnvelope } from '../hash.ts';
import type { AppendRequest } from '../request.ts';

/** The batch is durable from `first` on, or nothing was written because of the requests in `refused`. */
export type WriteOutcome =
  | { readonly committed: true; readonly first: bigint }
  | { readonly committed: false; readonly refused: ReadonlySet<AppendRequest> };

const APPEND = {
  name: 'log-append',
  text: `select first_position, actual_revisions, decided
           from log.append($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
  rowMode: 'array',
} as const;

type AppendRow = [
  first: string | bigint | null,
  actual: (string | null)[] | null,
  /** Numbers of commands, from 1. */
  decided: number[] | null,
];

/** One statement, one transaction, one round trip. */
export const writeBatch = async (
  pool: Pick<Pool, 'query'>,
  requests: readonly AppendRequest[],
): Promise<WriteOutcome> => {
  const streams: string[] = [];
  const expected: (bigint | null)[] = [];
  const previous: (string | null)[] = [];
  const workflowIds: (string | null)[] = [];
  const runIds: (string | null)[] = [];
  const eventParts: number[] = [];
  const revisions: bigint[] = [];
  const types: string[] = [];
  const envelopes: string[] = [];
  const commandParts: number[] = [];
  const commandIds: string[] = [];
  const commandFirsts: bigint[] = [];
  const commandLasts: bigint[] = [];
  const commandEnds: number[] = [];
  /** Request of each part and of each command. */
  const partRequests: AppendRequest[] = [];
  const commandRequests: AppendRequest[] = [];
  const seen = new Set<string>();
  let end = 0;

  for (const request of requests) {
    const { parts, origin, size } = request;
    end += size;
    for (const part of parts) {
      streams.push(part.stream);
      partRequests.push(request);
      const isFirst = !seen.has(part.stream);
      expected.push(isFirst ? part.expected : null);
      previous.push(
        isFirst && part.previous !== undefined ? leafOfEnvelope(part.previous).toString('hex') : null,
      );
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
      for (const { id, first, last } of part.commands) {
        commandParts.push(streams.length);
        commandIds.push(id);
        commandFirsts.push(first);
        commandLasts.push(last);
        commandEnds.push(end);
        commandRequests.push(request);
      }
    }
  }

  const { rows } = await pool.query<AppendRow>({
    ...APPEND,
    values: [
      names(streams),
      numbers(expected),
      names(previous),
      names(workflowIds),
      names(runIds),
      numbers(eventParts),
      numbers(revisions),
      types.join('\n'),
      envelopes.join('\n'),
      numbers(commandParts),
      names(commandIds),
      numbers(commandFirsts),
      numbers(commandLasts),
      numbers(commandEnds),
    ],
  });
  const [first, actual, decided] = rows[0] as AppendRow;
  if (first !== null) return { committed: true, first: BigInt(first) };
  const moved = new Set(
    streams.filter((_, part) => expected[part] !== null && BigInt(actual?.[part] ?? -1) !== expected[part]),
  );
  const refused = [
    ...partRequests.filter((_, part) => moved.has(streams[part] as string)),
    ...(decided ?? []).map((command) => commandRequests[command - 1] as AppendRequest),
  ];
  return { committed: false, refused: new Set(refused) };
};

/** Array literals. pg's own would quote every number and look for what a name cannot hold. */
const numbers = (values: readonly (number | bigint | null)[]): string =>
  `{${values.map((value) => value ?? 'null').join(',')}}`;

const names = (values: readonly (string | null)[]): string =>
  `{${values.map((value) => (value === null ? 'null' : `"${value}"`)).join(',')}}`;
