import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { readLocalStack } from '../../infra/config/local-stack.ts';

export const HISTORIES = resolve(import.meta.dirname, '..', 'histories');

/** A workflow run as its worker must be able to repeat it. */
export interface RecordedHistory {
  readonly workflowId: string;
  readonly history: object;
}

/** Who did it, on which machine, is nothing a replay looks at. */
const ABSENT = new Set(['identity', 'workerVersion', 'meteringMetadata']);
const QUEUE = { name: 'recorded', kind: 1 };

/**
 * A history as protobuf.js encodes it, ready for JSON: bytes as base64, 64-bit numbers as their halves. The SDK's own
 * conversion to and from JSON needs one copy of protobuf.js in the whole tree, which no lockfile of ours can promise.
 */
const plain = (value: unknown): unknown => {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).filter(([key]) => !ABSENT.has(key));
  // A sticky queue is named after its machine.
  return Object.fromEntries(
    members.map(([key, member]) => [key, key === 'taskQueue' ? QUEUE : plain(member)]),
  );
};

/** Writes the history of one run to `test/histories/<name>.json`. */
export const recordHistory = async (client: Client, workflowId: string, name: string, runId?: string) => {
  const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
  const recorded: RecordedHistory = { workflowId, history: plain(history) as object };
  await mkdir(HISTORIES, { recursive: true });
  await writeFile(join(HISTORIES, `${name}.json`), `${JSON.stringify(recorded)}\n`);
};

/**
 * Records from a stack that `npm start` runs:
 * `node test/support/record-history.ts <AIVILLAGE_HOME> <workflow id> <name> [run id]`
 */
const main = async ([home, workflowId, name, runId]: readonly string[]): Promise<void> => {
  const stack = home === undefined ? null : readLocalStack(home);
  if (!stack || workflowId === undefined || name === undefined)
    throw new Error('usage: record-history.ts <AIVILLAGE_HOME> <workflow id> <name> [run id]');
  const connection = await Connection.connect({ address: stack.temporalAddress });
  try {
    await recordHistory(new Client({ connection }), workflowId, name, runId);
  } finally {
    await connection.close();
  }
};

if (import.meta.main) await main(process.argv.slice(2));
