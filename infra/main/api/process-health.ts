import type { Pool } from 'pg';
import type { Component } from '../../../api/health.ts';
import { awaitedNodes } from '../../p2p/routes.ts';
import {
  type ExpectedProcesses,
  type ProcessKind,
  processName,
  rosterOf,
  seenProcesses,
} from '../../processes/roster.ts';

const none = async (): Promise<null> => null;

/** @param impaired what keeps processes that are all there from their work; null when nothing does */
const component = (
  pool: Pool,
  kind: ProcessKind,
  announced: number | null,
  impaired: () => Promise<string | null> = none,
): Component => ({
  critical: false,
  probe: async () => {
    const { have, expected, missing } = rosterOf(kind, await seenProcesses(pool, kind), announced);
    const roster = { have, expected, missing };
    if (have >= expected) {
      const cause = await impaired();
      return cause === null ? { status: 'ok', ...roster } : { status: 'degraded', ...roster, cause };
    }
    return {
      status: have === 0 ? 'down' : 'degraded',
      ...roster,
      cause: `${have} of ${expected} give a sign of life`,
    };
  },
});

/** A worker is back when its nodes are: who ends the next one before would leave them without any. */
const returning = async (pool: Pool): Promise<string | null> => {
  const awaited = await awaitedNodes(pool);
  if (awaited.length === 0) return null;
  const each = awaited.map(({ index, nodes }) => `${nodes} to ${processName('worker', String(index))}`);
  return `nodes have yet to come back: ${each.join(', ')}`;
};

/** Whether every process is there that should be. */
export const processHealth = (
  pool: Pool,
  expected: ExpectedProcesses,
): Readonly<Record<'apis' | 'workers' | 'projectors', Component>> => ({
  apis: component(pool, 'api', expected.api),
  workers: component(pool, 'worker', expected.worker, () => returning(pool)),
  projectors: component(pool, 'projector', expected.projector),
});
