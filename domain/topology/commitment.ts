import { hexToBytes } from '@noble/hashes/utils.js';
import type { EpochCommitment } from './draw.ts';

/** What a drawing epoch is known by, as log and read model keep it: bytes in hex. */
export interface EpochFacts {
  readonly network: string;
  readonly epoch: number;
  readonly beacon: string;
  readonly candidateRoot: string;
  readonly candidateCount: number;
}

export const commitmentOf = ({
  network,
  epoch,
  beacon,
  candidateRoot,
  candidateCount,
}: EpochFacts): EpochCommitment => ({
  network,
  epoch,
  beacon: hexToBytes(beacon),
  candidateRoot: hexToBytes(candidateRoot),
  candidateCount,
});
