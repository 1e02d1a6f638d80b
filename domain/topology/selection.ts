import { ecvrfProve, type VrfEvaluation, type VrfKey } from '../vrf/prove.ts';
import type { EcvrfSuite } from '../vrf/suite.ts';
import type { Candidate, CandidateSet } from './candidate.ts';
import { alphaOf, drawNeighbours, type EpochCommitment, takesAll } from './draw.ts';

/** Hash to curve without a loop whose length depends on the input. */
export const TOPOLOGY_SUITE: EcvrfSuite = 'edwards25519-ell2';

/** A candidate with the proof that the epoch's root commits to it. */
export interface CommittedCandidate {
  readonly candidate: Candidate;
  readonly index: number;
  /** Inclusion path, from the leaf's sibling up; 32 bytes each. */
  readonly path: readonly Uint8Array[];
}

/** A draw with all that a stranger needs to check it (R97): nothing in it has to be believed. */
export interface NeighbourSelection extends EpochCommitment {
  readonly suite: EcvrfSuite;
  /** The node that drew, with its VRF key. */
  readonly self: CommittedCandidate;
  /** Every other node is a neighbour, because there are no more than the number to draw. */
  readonly takesAll: boolean;
  /** In the order drawn; ascending where all are taken. */
  readonly neighbours: readonly CommittedCandidate[];
  /** beta, 64 bytes. */
  readonly output: Uint8Array;
  /** pi, 80 bytes. */
  readonly proof: Uint8Array;
}

const committed = ({ candidates, tree }: CandidateSet, index: number): CommittedCandidate => ({
  candidate: candidates[index] as Candidate,
  index,
  path: tree.path(index),
});

/** What only the node can do, for it alone holds the key. */
export const evaluateEpoch = (key: VrfKey, epoch: EpochCommitment): VrfEvaluation =>
  ecvrfProve(TOPOLOGY_SUITE, key, alphaOf(epoch));

/**
 * The selection that an evaluation stands for; not verified here. O(8 log n).
 * @throws RangeError when the node is not in the set, or the set is not the epoch's.
 */
export const selectionOf = (
  epoch: EpochCommitment,
  set: CandidateSet,
  nodeId: string,
  { output, proof }: VrfEvaluation,
): NeighbourSelection => {
  const self = set.indexOf(nodeId);
  if (self < 0) throw new RangeError(`${nodeId} is no candidate of epoch ${epoch.epoch}`);
  if (set.tree.size !== epoch.candidateCount) throw new RangeError('this set belongs to another epoch');
  const { network, beacon, candidateRoot, candidateCount } = epoch;
  return {
    suite: TOPOLOGY_SUITE,
    network,
    epoch: epoch.epoch,
    beacon,
    candidateRoot,
    candidateCount,
    self: committed(set, self),
    takesAll: takesAll(candidateCount),
    neighbours: drawNeighbours(output, candidateCount, self).map((index) => committed(set, index)),
    output,
    proof,
  };
};
