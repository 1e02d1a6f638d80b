import { HEARTBEAT_SECONDS } from '../../domain/tiers.ts';
import type { PresenceRow } from './heartbeats.ts';

/** A moment of this observer's own time. */
export interface Mark {
  /** Which stretch without a gap it lies in. */
  readonly stretch: number;
  /** Monotonic ms. */
  readonly at: number;
}

/** What this observer can say of a provider as of its newest look. */
export interface Sighting extends PresenceRow {
  /** How long it has been silent while this observer listened, ms. */
  readonly silentMs: number;
  /** Whether it was heard since this observer listens without a gap: how old another beat is, nobody knows. */
  readonly heard: boolean;
}

/**
 * A failure detector by heartbeats (Chandra, Toueg 1996) that suspects itself first: it counts only time in which it
 * demonstrably ran, read the beats and could have had them recorded. After a gap in that, whatever its cause, silence
 * counts anew. All times are its own monotonic ones: no clock of a node or of the wall is believed. Of silence it counts no
 * more than the time in which some worker could have been beaten to, as PostgreSQL measured it.
 */
export interface FailureDetector {
  mark(): Mark;
  /** How long it has listened without a gap since `mark`, or since the gap's end, ms; as of its newest look. */
  heldMs(mark: Mark): number;
  /** Looks anew. Whether it listened all the time from `mark` until now. */
  held(mark: Mark): Promise<boolean>;
  /**
   * Whether it has listened long enough, and a worker has been there for the provider long enough, that nothing this one
   * says or fails to do can come of a gap before.
   */
  settled(providerId: string): boolean;
  /** How long a provider has been silent, ms; nothing while not settled. */
  silentMs(providerId: string): number;
  sightings(): readonly Sighting[];
  /** Reads the beats now: a look that begins after this call. False when they cannot be read; never rejects. */
  look(): Promise<boolean>;
  /** Something that might have been heard was not: what was counted so far is void. */
  interrupted(): void;
}

export interface FailureDetectorDeps {
  readonly beats: () => Promise<readonly PresenceRow[]>;
  /** Monotonic ms. */
  readonly monotonicMs: () => number;
  readonly onError: (error: unknown) => void;
}

/** Looks further apart than this leave a gap: a beat may have come and gone unheard. */
export const GAP_MS = HEARTBEAT_SECONDS * 1000;

/**
 * A node that lost its engine finds back within this, ms: its longest pause between two dials and a dial, 10 s each
 * (infra/node). Also as long as it tries to fetch an artefact: a refusal for want of one comes no later.
 */
export const SETTLING_MS = 20_000;

interface Known extends PresenceRow {
  /** When the newest beat was seen to have come; null for one that was there before. */
  readonly heard: Mark | null;
}

export const createFailureDetector = ({
  beats,
  monotonicMs,
  onError,
}: FailureDetectorDeps): FailureDetector => {
  let stretch = 0;
  let began = monotonicMs();
  let newest = began;
  let known: ReadonlyMap<string, Known> | null = null;
  let looking: Promise<unknown> = Promise.resolve();
  let next: Promise<boolean> | null = null;

  const begin = (at: number): void => {
    stretch++;
    began = at;
    newest = at;
  };

  /** A beat is a row that has changed since the look before. */
  const noted = (row: PresenceRow): Known => {
    const before = known?.get(row.providerId);
    const isBeat = known !== null && before?.lastSeen !== row.lastSeen;
    return { ...row, heard: isBeat ? { stretch, at: newest } : (before?.heard ?? null) };
  };

  const take = async (): Promise<boolean> => {
    const at = monotonicMs();
    const during = stretch;
    try {
      const rows = await beats();
      // What was interrupted meanwhile has begun anew already.
      if (stretch === during && at - newest > GAP_MS) begin(at);
      newest = Math.max(newest, at);
      known = new Map(rows.map((row) => [row.providerId, noted(row)]));
      return true;
    } catch (error) {
      onError(error);
      return false;
    }
  };

  const look = (): Promise<boolean> => {
    next ??= looking.then(() => {
      next = null;
      const taken = take();
      looking = taken;
      return taken;
    });
    return next;
  };

  const isHeard = (sighting: Known | undefined): boolean => sighting?.heard?.stretch === stretch;

  const silence = (sighting: Known | undefined): number => {
    const last = isHeard(sighting) ? (sighting?.heard?.at ?? 0) : 0;
    const unheard = Math.max(0, newest - Math.max(last, began + SETTLING_MS));
    // Others have to hear it for this worker, which only reads what they wrote down.
    return Math.min(unheard, sighting?.hearableMs ?? unheard);
  };

  return {
    mark: () => ({ stretch, at: monotonicMs() }),
    heldMs: (since) => Math.max(0, newest - (since.stretch === stretch ? since.at : began)),
    held: async (since) => (await look()) && since.stretch === stretch,
    settled: (providerId) => newest - began >= SETTLING_MS && known?.get(providerId)?.hearableMs !== 0,
    silentMs: (providerId) => silence(known?.get(providerId)),
    sightings: () =>
      [...(known?.values() ?? [])].map((each) => ({
        providerId: each.providerId,
        lastSeen: each.lastSeen,
        told: each.told,
        hearableMs: each.hearableMs,
        silentMs: silence(each),
        heard: isHeard(each),
      })),
    look,
    interrupted: () => begin(monotonicMs()),
  };
};
