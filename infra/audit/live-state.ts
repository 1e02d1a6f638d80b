import { setTimeout as sleep } from 'node:timers/promises';
import { aggregateOf } from '../../domain/event.ts';
import type { EventStore } from '../../domain/ports/event-store.ts';
import type { Lifecycles } from '../../domain/ports/lifecycles.ts';
import { foldMachine, foldOf, foldStream, isLifecycle } from '../../domain/registry.ts';
import { firstDifference } from './difference.ts';
import { misshapen } from './schema.ts';

export interface LiveStateDeps {
  readonly store: Pick<EventStore, 'readStream' | 'loadSnapshot'>;
  readonly lifecycles: Pick<Lifecycles, 'inspect'>;
  /** How often a lifecycle that is just writing is asked again, and how long between. */
  readonly attempts?: number;
  readonly waitMs?: number;
}

/** What something other than the log says a stream's state is. */
interface Claim {
  readonly by: 'workflow' | 'snapshot';
  readonly revision: bigint;
  readonly state: unknown;
}

/** The state in the form that snapshots and workflows keep it: machines have a value beside their context. */
const replayed = (stream: string, events: Parameters<typeof foldStream>[1]): unknown => {
  const { value, context } = foldStream(stream, events);
  return isLifecycle(aggregateOf(stream)) ? { value, context } : context;
};

/**
 * Holds the events of a stream against their schemas, and its replay against its live state: of an open lifecycle what its workflow holds, of an ended one its
 * final snapshot, of any other stream the snapshot it may have. Each is folded to the revision that it claims.
 * @returns the differences in words; empty when there is none.
 */
export const checkLiveState = async (
  { store, lifecycles, attempts = 10, waitMs = 300 }: LiveStateDeps,
  stream: string,
  revision: bigint,
): Promise<string[]> => {
  const events = await store.readStream(stream, { to: revision });
  const faults = misshapen(events);
  if (faults.length > 0) return [...faults];

  const snapshotClaim = async (): Promise<Claim | null> => {
    const snapshot = await store.loadSnapshot(stream);
    const { snapshotVersion } = foldOf(stream);
    // States of another fold are read by nobody.
    if (!snapshot || (snapshotVersion !== undefined && snapshot.version !== snapshotVersion)) return null;
    return { by: 'snapshot', revision: snapshot.revision, state: snapshot.state };
  };

  const workflowClaim = async (): Promise<Claim | null> => {
    const view = await lifecycles.inspect(stream);
    return (
      view && {
        by: 'workflow',
        revision: BigInt(view.revision),
        state: { value: view.value, context: view.context },
      }
    );
  };

  const differences = async (claim: Claim): Promise<string[]> => {
    const claimed =
      claim.revision === revision ? events : await store.readStream(stream, { to: claim.revision });
    const newest = claimed.at(-1)?.revision ?? -1n;
    if (newest !== claim.revision)
      return [`its ${claim.by} is at revision ${claim.revision}, the log ends at ${newest}`];
    const difference = firstDifference(claim.state, replayed(stream, claimed));
    return difference ? [`${claim.by} at revision ${claim.revision}: ${difference}`] : [];
  };

  const aggregate = aggregateOf(stream);
  if (!isLifecycle(aggregate)) {
    // The fold itself is the first check: it throws on an event that cannot follow.
    replayed(stream, events);
    const claim = await snapshotClaim();
    return claim ? differences(claim) : [];
  }

  const ended = foldMachine(aggregate, events).status === 'done';
  for (let attempt = 1; ; attempt++) {
    const claim = ended ? await snapshotClaim() : ((await workflowClaim()) ?? (await snapshotClaim()));
    if (claim && claim.revision >= revision) return differences(claim);
    // Between the append and what follows it, both are behind for a moment.
    if (attempt >= attempts) {
      if (claim) return [`its ${claim.by} stands at revision ${claim.revision}, the log at ${revision}`];
      return [ended ? 'it has ended, but no final snapshot is kept' : 'it is open, but no workflow holds it'];
    }
    await sleep(waitMs);
  }
};
