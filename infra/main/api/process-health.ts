import type { Pool } from 'pg';
import type { Component } from '../../../api/health.ts';
import { type ExpectedProcesses, type ProcessKind, rosterOf, seenProcesses } from '../../processes/roster.ts';

const component = (pool: Pool, kind: ProcessKind, announced: number | null): Component => ({
  critical: false,
  probe: async () => {
    const { have, expected, missing } = rosterOf(kind, await seenProcesses(pool, kind), announced);
    const roster = { have, expected, missing };
    if (have >= expected) return { status: 'ok', ...roster };
    return {
      status: have === 0 ? 'down' : 'degraded',
      ...roster,
      cause: `${have} of ${expected} give a sign of life`,
    };
  },
});

/** Whether every process is there that should be. */
export const processHealth = (
  pool: Pool,
  expected: ExpectedProcesses,
): Readonly<Record<'apis' | 'workers' | 'projectors', Component>> => ({
  apis: component(pool, 'api', expected.api),
  workers: component(pool, 'worker', expected.worker),
  projectors: component(pool, 'projector', expected.projector),
});
