import type { Pool } from 'pg';
import type { Component, Probed } from '../../../api/health.ts';
import type { EventStore } from '../../../domain/ports/event-store.ts';
import { describeParked } from '../../../projections/parked.ts';
import { type ProjectionStatus, projectionStatus } from '../../../projections/status.ts';

export interface ReadModelHealthDeps {
  readonly pool: Pool;
  readonly store: Pick<EventStore, 'head'>;
}

/** A read model this many events behind is late. */
const LATE_EVENTS = 1000n;
/** Parked keys that a cause names. */
const PARKED_SHOWN = 3;

/** Where every read model stands against the log. */
export const projectionLag = async ({ pool, store }: ReadModelHealthDeps) =>
  projectionStatus(pool, (await store.head()).position);

const judge = (status: ProjectionStatus | undefined): Probed => {
  if (!status) return { status: 'down', cause: 'not built yet' };
  const lag = Number(status.lag);
  if (status.parked.length > 0) {
    const named = status.parked.slice(0, PARKED_SHOWN).map(describeParked);
    const more = status.parked.length - named.length;
    return { status: 'degraded', lag, cause: [...named, ...(more > 0 ? [`${more} more`] : [])].join('; ') };
  }
  return { status: status.lag > LATE_EVENTS ? 'degraded' : 'ok', lag };
};

/** Health of one read model by its name, and of all of them: the worst speaks. */
export const readModelHealth = (deps: ReadModelHealthDeps) => ({
  readModel: (name: string): Component => ({
    critical: false,
    probe: async () => judge((await projectionLag(deps)).find(({ projection }) => projection === name)),
  }),
  projections: {
    critical: false,
    probe: async () => {
      const verdicts = (await projectionLag(deps)).map(judge);
      const worst = verdicts.find(({ status }) => status !== 'ok');
      const lag = Math.max(0, ...verdicts.map((verdict) => verdict.lag ?? 0));
      return { ...(worst ?? { status: 'ok' }), lag };
    },
  } satisfies Component,
});
