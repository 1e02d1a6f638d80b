import { sha256 } from '@noble/hashes/sha2.js';
import { utf8ToBytes } from '@noble/hashes/utils.js';
import { drawDistinct } from '../draw-distinct.ts';
import { canonicalJson } from '../json.ts';
import { leafHash, type MerkleTree, merkleTree } from '../merkle.ts';
import type { AvailabilityTerms, Challenge } from './availability-record.ts';

type Cut = Pick<AvailabilityTerms, 'size' | 'chunkBytes'>;

export const chunkCount = ({ size, chunkBytes }: Cut): number => Math.ceil(size / chunkBytes);

/** Bytes of chunk `index`: all are full but the last. */
export const chunkLength = ({ size, chunkBytes }: Cut, index: number): number =>
  Math.min(chunkBytes, size - index * chunkBytes);

/** The tree over the chunks of an artefact. */
export const chunkTree = (bytes: Uint8Array, chunkBytes: number): MerkleTree =>
  merkleTree(
    Array.from({ length: Math.ceil(bytes.length / chunkBytes) }, (_, index) =>
      leafHash(bytes.subarray(index * chunkBytes, (index + 1) * chunkBytes)),
    ),
  );

/** The chunks that a challenge asks for: distinct, uniform, known to nobody before the beacon is. */
export const challengedChunks = (
  { chunksPerRound, ...cut }: Cut & Pick<AvailabilityTerms, 'chunksPerRound'>,
  challenge: Challenge,
): number[] => {
  const count = chunkCount(cut);
  const seed = sha256(utf8ToBytes(`aivillage-availability-challenge-v1\n${canonicalJson(challenge)}`));
  return drawDistinct(seed, count, Math.min(chunksPerRound, count));
};
