import { bytesToHex } from '@noble/hashes/utils.js';
import { Context } from '@temporalio/activity';
import { domainEventOf, type RecordedEvent } from '../domain/event.ts';
import type { EventStore } from '../domain/ports/event-store.ts';
import type { Lifecycles } from '../domain/ports/lifecycles.ts';
import { addMs, isBefore } from '../domain/time.ts';
import { beaconFrom } from '../domain/topology/beacon.ts';
import { type CandidateSet, candidateSet } from '../domain/topology/candidate.ts';
import { commitmentOf } from '../domain/topology/commitment.ts';
import type { EpochCommitment } from '../domain/topology/draw.ts';
import { eligibleCandidates } from '../domain/topology/eligible.ts';
import { planEpochs, type TopologySettings, topologyStream } from '../domain/topology/epoch.ts';
import type { BeaconSource, TopologyEvent, TopologyOpened } from '../domain/topology/events.ts';
import type { Topology } from '../domain/topology/machine.ts';
import type { CandidateSets } from '../infra/topology/candidate-sets.ts';
import { type Drawer, recordOf } from '../infra/topology/drawer.ts';
import { providerStatesAt } from '../infra/topology/provider-states.ts';

export interface TopologyDeps {
  readonly store: EventStore;
  readonly lifecycles: Pick<Lifecycles, 'open'>;
  readonly sets: CandidateSets;
  readonly drawer: Drawer;
  /** Provider ids within reach of any worker. */
  readonly connected: () => Promise<readonly string[]>;
  /** The newest signed checkpoint of the log; its root has 32 bytes. */
  readonly newestCheckpoint: () => Promise<{ readonly size: bigint; readonly root: Uint8Array } | null>;
  readonly now: () => string;
}

interface Input {
  readonly topology: Topology;
}

/** A checkpoint comes within a second of the event, where the projector is up. */
const CHECKPOINT_WAIT_MS = 5_000;
const CHECKPOINT_POLL_MS = 250;
/** Draws asked for when an epoch begins, at most; whoever is left is asked when somebody wants to know. */
const MOST_COLLECTED = 1000;
const ASKED_AT_ONCE = 16;

/** Positions that one read of a search looks at. */
const SEARCHED = 20_000n;

const streamOf = (topology: Topology): string => topologyStream(topology, topology.epoch);

/** The commitment that draws of `topology` are made from. */
const drawnFrom = ({ network, epoch, candidates, beacon }: Topology): EpochCommitment => {
  if (!candidates || beacon === null) throw new Error(`epoch ${epoch} has nothing to draw from yet`);
  const { candidateRoot, candidateCount } = candidates;
  return commitmentOf({ network, epoch, beacon, candidateRoot, candidateCount });
};

/** Effects of the topology's epochs. */
export const createTopologyActivities = (deps: TopologyDeps) => {
  const { store, lifecycles, sets, drawer, connected, newestCheckpoint, now } = deps;

  /** What was looked for in the log up to there. It is found once, however long the log becomes. */
  const searches = new Map<string, { after: bigint; found: RecordedEvent | null }>();

  /** The first event of a type that `isIt`; null in a log that has none yet. */
  const firstOf = async (
    key: string,
    type: string,
    isIt: (event: RecordedEvent) => boolean,
  ): Promise<RecordedEvent | null> => {
    const search = searches.get(key) ?? { after: 0n, found: null };
    searches.set(key, search);
    const { position: end } = await store.head();
    while (!search.found && search.after < end) {
      const to = search.after + SEARCHED < end ? search.after + SEARCHED : end;
      const [event] = await store.readAll({ after: search.after, to, limit: 1, types: [type] });
      search.after = event?.position ?? to;
      if (event && isIt(event)) search.found = event;
    }
    return search.found;
  };

  /** When registration of the network's first epoch closed; null in one that has had none. */
  const bootstrappedAt = async ({ network, epochSeconds }: TopologySettings): Promise<string | null> => {
    const first = await firstOf(`${network}/${epochSeconds}`, 'topology.opened', (event) => {
      const opened = domainEventOf<TopologyOpened>(event);
      return opened.network === network && opened.epochSeconds === epochSeconds;
    });
    return first && domainEventOf<TopologyOpened>(first).registrationClosesAt;
  };

  const hasKeys = async (): Promise<boolean> =>
    (await firstOf('key', 'provider.vrf-key-registered', () => true)) !== null;

  /** A checkpoint that covers `position`, waited for a little; else the chain hash at `position` itself. */
  const sourceCovering = async (position: bigint, chainHash: string): Promise<BeaconSource> => {
    const deadline = addMs(now(), CHECKPOINT_WAIT_MS);
    for (;;) {
      const checkpoint = await newestCheckpoint();
      if (checkpoint && checkpoint.size >= position) {
        return { kind: 'checkpoint', size: String(checkpoint.size), hash: bytesToHex(checkpoint.root) };
      }
      if (!isBefore(now(), deadline)) return { kind: 'log', size: String(position), hash: chainHash };
      await Context.current().sleep(CHECKPOINT_POLL_MS);
    }
  };

  const drawOf = async (
    epoch: EpochCommitment,
    set: CandidateSet,
    nodeId: string,
  ): Promise<TopologyEvent[]> => {
    const drawn = await drawer.draw(epoch, set, nodeId, Context.current().cancellationSignal);
    if (!drawn.ok) {
      Context.current().log.info('no draw', { nodeId, epoch: epoch.epoch, reason: drawn.message });
      return [];
    }
    const { type: _, ...record } = recordOf(drawn.value);
    return [{ type: 'topology.neighbours-selected', ...record, selectedAt: now() }];
  };

  return {
    /** Opens what has to be open now. A network without a single key has no topology yet. */
    'topology.openDue': async (settings: TopologySettings): Promise<void> => {
      const first = await bootstrappedAt(settings);
      if (first === null && !(await hasKeys())) return;
      for (const command of planEpochs(settings, now(), first)) {
        const stream = topologyStream(settings, command.epoch);
        const meta = {
          commandId: `${stream}/open`,
          actor: 'engine',
          correlationId: stream,
          causationId: `${stream}/open`,
          traceparent: null,
        };
        const outcome = await lifecycles.open('topology', stream, command, meta);
        if (!outcome.ok && outcome.code !== 'CONFLICT') throw new Error(`${stream}: ${outcome.message}`);
      }
    },

    'topology.commitCandidates': async ({ topology }: Input): Promise<TopologyEvent[]> => {
      const { position } = await store.head();
      const providers = await providerStatesAt(store, position);
      const set = candidateSet(eligibleCandidates(providers, topology.registrationClosesAt));
      return [
        {
          type: 'topology.candidates-committed',
          candidateRoot: bytesToHex(set.tree.root),
          candidateCount: set.tree.size,
          candidateSet: await sets.keep(set),
          position: String(position),
          committedAt: now(),
        },
      ];
    },

    'topology.fixBeacon': async ({ topology }: Input): Promise<TopologyEvent[]> => {
      const events = await store.readStream(streamOf(topology));
      const committed = events.find(({ type }) => type === 'topology.candidates-committed');
      if (!committed) throw new Error(`epoch ${topology.epoch} has no candidates`);
      const source = await sourceCovering(committed.position, committed.hash);
      const beacon = bytesToHex(beaconFrom(topology.network, topology.epoch, source));
      return [{ type: 'topology.beacon-fixed', beacon, source, fixedAt: now() }];
    },

    /** Asks the candidates within reach for their draws. A node that does not answer costs nobody anything. */
    'topology.collectSelections': async ({ topology }: Input): Promise<TopologyEvent[]> => {
      const epoch = drawnFrom(topology);
      if (!topology.candidates || epoch.candidateCount === 0) return [];
      const set = await sets.load(topology.candidates.candidateSet, topology.candidates.candidateRoot);
      const near = new Set(await connected());
      const asked = set.candidates
        .filter(({ nodeId }, index) => near.has(nodeId) && !topology.selected.includes(index))
        .slice(0, MOST_COLLECTED);
      const events: TopologyEvent[] = [];
      for (let start = 0; start < asked.length; start += ASKED_AT_ONCE) {
        Context.current().heartbeat();
        const turn = asked.slice(start, start + ASKED_AT_ONCE);
        const drawn = await Promise.all(turn.map(({ nodeId }) => drawOf(epoch, set, nodeId)));
        events.push(...drawn.flat());
      }
      return events;
    },
  };
};
