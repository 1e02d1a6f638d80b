import { sha256 } from '@noble/hashes/sha2.js';
import { utf8ToBytes } from '@noble/hashes/utils.js';
import { type VrfKey, vrfKey } from '../vrf/prove.ts';
import { type Candidate, type CandidateSet, candidateSet } from './candidate.ts';
import type { EpochCommitment } from './draw.ts';
import { evaluateEpoch, type NeighbourSelection, selectionOf } from './selection.ts';

export const keyOf = (nodeId: string): VrfKey => vrfKey(sha256(utf8ToBytes(nodeId)));

export const nodeName = (index: number): string => `provider-${String(index).padStart(6, '0')}`;

/** A candidate whose key nobody holds: enough for whoever does not draw. */
export const bystander = (index: number): Candidate => ({
  nodeId: nodeName(index),
  vrfKey: sha256(utf8ToBytes(nodeName(index))),
  weight: index % 1000,
  addressPrefix: `10.${index % 256}`,
  operator: `subject-${index % 7}`,
});

/** `count` candidates, all with keys of their own. */
export const candidates = (count: number): Candidate[] =>
  Array.from({ length: count }, (_, index) => ({
    ...bystander(index),
    vrfKey: keyOf(nodeName(index)).publicKey,
  }));

export const epochOver = (set: CandidateSet, epoch: number): EpochCommitment => ({
  network: 'test',
  epoch,
  beacon: sha256(utf8ToBytes(`beacon ${epoch}`)),
  candidateRoot: set.tree.root,
  candidateCount: set.tree.size,
});

/** The draw of candidate `index` among `count`. */
export const drawAmong = (count: number, index: number, epoch = 7): NeighbourSelection => {
  const set = candidateSet(candidates(count));
  const commitment = epochOver(set, epoch);
  const nodeId = nodeName(index);
  return selectionOf(commitment, set, nodeId, evaluateEpoch(keyOf(nodeId), commitment));
};
