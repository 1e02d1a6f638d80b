import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import type { AvailabilityTerms } from '../proof/availability-record.ts';
import { chunkTree } from '../proof/chunks.ts';
import type { ObservationWindow } from './window.ts';

/** A node that may observe: one of the provider's neighbours. */
export interface ObserverCandidate {
  readonly id: string;
  readonly key: string;
  readonly owner: string;
}

/** A provider with an artefact that it has to keep, and the neighbours that it is connected to. */
export interface ObservationTarget {
  readonly providerId: string;
  readonly providerKey: string;
  readonly owner: string;
  readonly jobId: string | null;
  /** Hex SHA-256. */
  readonly artifact: string;
  readonly neighbours: readonly ObserverCandidate[];
}

const FEWEST_OBSERVERS = 2;
const MOST_OBSERVERS = 3;
const CHUNK_BYTES = 1024;
/** Whoever lost a share f of the chunks passes a round with (1 − f)^4. */
const CHUNKS_PER_ROUND = 4;
const MINIMUM_SHARE = 0.9;
const LONGEST_DEADLINE_SECONDS = 5;

/**
 * The observers of a provider in a window: never itself, each of another owner, and none of the provider's. The order in
 * which they are taken follows from the window, so that nobody picks friends. Null where there are too few.
 */
export const chooseObservers = (
  window: Pick<ObservationWindow, 'stream'>,
  { providerId, owner, neighbours }: ObservationTarget,
): readonly ObserverCandidate[] | null => {
  const rank = (id: string): string =>
    bytesToHex(sha256(utf8ToBytes(`${window.stream}\n${providerId}\n${id}`)));
  const ranked = neighbours
    .filter((candidate) => candidate.id !== providerId)
    .map((candidate) => ({ candidate, place: rank(candidate.id) }))
    .sort((a, b) => (a.place < b.place ? -1 : 1));
  const owners = new Set([owner]);
  const chosen: ObserverCandidate[] = [];
  for (const { candidate } of ranked) {
    if (chosen.length === MOST_OBSERVERS || owners.has(candidate.owner)) continue;
    owners.add(candidate.owner);
    chosen.push(candidate);
  }
  return chosen.length < FEWEST_OBSERVERS ? null : chosen;
};

/** An answer later than this counts as none: a part of the round, so that all rounds have time for theirs. */
const deadlineOf = (roundSeconds: number): number =>
  Math.max(1, Math.min(LONGEST_DEADLINE_SECONDS, Math.floor(roundSeconds / 4)));

/** The terms of a provider in a window; null where too few could observe it. @param bytes of its artefact. */
export const termsOf = (
  window: ObservationWindow,
  target: ObservationTarget,
  bytes: Uint8Array,
): AvailabilityTerms | null => {
  const observers = chooseObservers(window, target);
  if (!observers || bytes.length === 0) return null;
  const { providerId, providerKey, jobId, artifact } = target;
  return {
    providerId,
    providerKey,
    jobId,
    artifact,
    size: bytes.length,
    chunkBytes: CHUNK_BYTES,
    chunkRoot: bytesToHex(chunkTree(bytes, CHUNK_BYTES).root),
    chunksPerRound: CHUNKS_PER_ROUND,
    rounds: window.rounds,
    from: window.from,
    everySeconds: window.roundSeconds,
    deadlineSeconds: deadlineOf(window.roundSeconds),
    minimumShare: MINIMUM_SHARE,
    observers: observers.map(({ id, key }) => ({ id, key })),
    quorum: Math.floor(observers.length / 2) + 1,
  };
};
