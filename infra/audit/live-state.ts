import { setTimeout as sleep } from 'node:timers/promises';
import { aggregateOf, domainEventOf, type RecordedEvent } from '../../domain/event.ts';
import { foldOver } from '../../domain/fold.ts';
import { type EventStore, NO_STREAM } from '../../domain/ports/event-store.ts';
import type { Lifecycles } from '../../domain/ports/lifecycles.ts';
import { foldOf, hasEnded, isAggregate, isLifecycle, streamStateOf } from '../../domain/registry.ts';
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

/** Events of one page: no stream is held as a whole. */
const PAGE = 1000n;

interface Replay {
  /** Folds on to `revision`, or to the end before it. @returns the revision it has come to. */
  to(revision: bigint): Promise<bigint>;
  /** Events that are not of the form of their type; nothing is folded from there on. */
  faults(): readonly string[];
  /** The state as snapshots and workflows keep it: machines have a value beside their context. */
  state(): unknown;
  hasEnded(): boolean;
}

const createReplay = (store: Pick<EventStore, 'readStream'>, stream: string): Replay => {
  const faults: string[] = [];
  let state: unknown;
  let revision = NO_STREAM;

  const take = (events: readonly RecordedEvent[]): void => {
    faults.push(...misshapen(events));
    if (faults.length > 0) return;
    const fold = foldOf(stream);
    const before = revision === NO_STREAM ? fold.initialState : state;
    state = foldOver(
      fold,
      before,
      events.map((event) => domainEventOf<never>(event)),
    );
  };

  return {
    to: async (target) => {
      while (revision < target) {
        const to = revision + PAGE < target ? revision + PAGE : target;
        const events = await store.readStream(stream, { from: revision + 1n, to });
        const last = events.at(-1);
        if (!last) break;
        take(events);
        revision = last.revision;
      }
      return revision;
    },
    faults: () => faults,
    state: () => {
      const { value, context } = streamStateOf(stream, state, Number(revision));
      return isLifecycle(aggregateOf(stream)) ? { value, context } : context;
    },
    hasEnded: () => hasEnded(stream, state),
  };
};

/**
 * Holds the events of a stream against their schemas, and its replay against its live state: of an open lifecycle what its
 * workflow holds, of an ended one its final snapshot, of any other stream the snapshot it may have. Each is folded to the
 * revision that it claims.
 * @returns the differences in words; empty when there is none.
 */
export const checkLiveState = async (
  { store, lifecycles, attempts = 10, waitMs = 300 }: LiveStateDeps,
  stream: string,
  revision: bigint,
): Promise<string[]> => {
  const replay = createReplay(store, stream);

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
    const newest = await replay.to(claim.revision);
    if (newest !== claim.revision)
      return [`its ${claim.by} is at revision ${claim.revision}, the log ends at ${newest}`];
    if (replay.faults().length > 0) return [];
    const difference = firstDifference(claim.state, replay.state());
    return difference ? [`${claim.by} at revision ${claim.revision}: ${difference}`] : [];
  };

  if (!isLifecycle(aggregateOf(stream))) {
    const claim = isAggregate(stream) ? await snapshotClaim() : null;
    const before = claim && claim.revision < revision ? await differences(claim) : [];
    // The fold itself is the first check: it throws on an event that cannot follow.
    await replay.to(revision);
    if (replay.faults().length > 0) return [...replay.faults()];
    return claim && claim.revision >= revision ? differences(claim) : before;
  }

  await replay.to(revision);
  if (replay.faults().length > 0) return [...replay.faults()];
  const ended = replay.hasEnded();
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
