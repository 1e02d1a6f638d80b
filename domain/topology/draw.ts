import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { drawDistinct } from '../draw-distinct.ts';
import { fixed, text, u64 } from './encode.ts';

/** Neighbours of a node (R93); fewer only where there are fewer other nodes. */
export const NEIGHBOUR_COUNT = 8;

/** What an epoch is drawn from: fixed for all nodes before any of them can draw. */
export interface EpochCommitment {
  /** Name of the network: a draw of one counts in no other. */
  readonly network: string;
  readonly epoch: number;
  /** 32 bytes, unknown while keys could still be registered. */
  readonly beacon: Uint8Array;
  /** RFC 6962 root over the candidates, 32 bytes. */
  readonly candidateRoot: Uint8Array;
  readonly candidateCount: number;
}

const ALPHA_TAG = utf8ToBytes('fog-nbr-v1');

/** The VRF input of every node in this epoch. @throws RangeError on a field outside its bounds. */
export const alphaOf = ({
  network,
  epoch,
  beacon,
  candidateRoot,
  candidateCount,
}: EpochCommitment): Uint8Array =>
  concatBytes(
    ALPHA_TAG,
    text(network),
    u64(epoch),
    fixed(beacon, 32),
    fixed(candidateRoot, 32),
    u64(candidateCount),
  );

const EXPAND_TAG = utf8ToBytes('fog-nbr-expand');

/** Whether a node of `candidateCount` has so few others that all are its neighbours. */
export const takesAll = (candidateCount: number): boolean => candidateCount - 1 <= NEIGHBOUR_COUNT;

/**
 * Indices of the neighbours that a VRF output draws: min(8, n − 1) distinct ones, uniform without replacement, never
 * `self`: O(8) whatever n. In ascending order where all are taken, else in the order drawn.
 */
export const drawNeighbours = (output: Uint8Array, candidateCount: number, self: number): number[] => {
  const others = candidateCount - 1;
  // The others are numbered without the own index.
  const indexOf = (other: number): number => (other < self ? other : other + 1);
  if (takesAll(candidateCount)) return Array.from({ length: others }, (_, other) => indexOf(other));
  return drawDistinct(concatBytes(EXPAND_TAG, output), others, NEIGHBOUR_COUNT).map(indexOf);
};
