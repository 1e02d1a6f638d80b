import { rootFromPath } from '../merkle.ts';
import { ecvrfVerify } from '../vrf/verify.ts';
import { candidateLeaf } from './candidate.ts';
import { alphaOf, drawNeighbours, type EpochCommitment, takesAll } from './draw.ts';
import { type CommittedCandidate, type NeighbourSelection, TOPOLOGY_SUITE } from './selection.ts';

export const NEIGHBOUR_FAULTS = [
  /** A field is missing, of another form or out of bounds. */
  'MALFORMED',
  'UNSUPPORTED_SUITE',
  /** It is not of the epoch that the verifier knows: another network, beacon, root or count. */
  'OTHER_EPOCH',
  /** The drawing node is not the committed candidate it claims to be. */
  'SELF_NOT_COMMITTED',
  'BAD_VRF_PROOF',
  /** The proof holds, but for another output. */
  'OTHER_OUTPUT',
  'WRONG_COUNT',
  /** Not the neighbours that this output draws, or not in its order. */
  'WRONG_NEIGHBOUR',
  /** A neighbour is not the committed candidate it claims to be. */
  'NEIGHBOUR_NOT_COMMITTED',
] as const;
export type NeighbourFault = (typeof NEIGHBOUR_FAULTS)[number];

export type NeighbourVerdict =
  | { readonly valid: true; readonly nodeId: string; readonly neighbours: readonly string[] }
  | { readonly valid: false; readonly reason: NeighbourFault };

const equal = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, index) => byte === b[index]);

const isCommitted = (epoch: EpochCommitment, { candidate, index, path }: CommittedCandidate): boolean => {
  const leaf = candidateLeaf(candidate);
  const root = rootFromPath(leaf, BigInt(index), BigInt(epoch.candidateCount), path);
  return root !== null && equal(root, epoch.candidateRoot);
};

const isOfEpoch = (selection: EpochCommitment, known: Partial<EpochCommitment>): boolean =>
  (known.network ?? selection.network) === selection.network &&
  (known.epoch ?? selection.epoch) === selection.epoch &&
  (known.candidateCount ?? selection.candidateCount) === selection.candidateCount &&
  equal(known.beacon ?? selection.beacon, selection.beacon) &&
  equal(known.candidateRoot ?? selection.candidateRoot, selection.candidateRoot);

const faultOf = (selection: NeighbourSelection, known: Partial<EpochCommitment>): NeighbourFault | null => {
  const { suite, self, neighbours, output, proof, candidateCount } = selection;
  if (suite !== TOPOLOGY_SUITE) return 'UNSUPPORTED_SUITE';
  if (!isOfEpoch(selection, known)) return 'OTHER_EPOCH';
  const alpha = alphaOf(selection);
  if (!isCommitted(selection, self)) return 'SELF_NOT_COMMITTED';
  const beta = ecvrfVerify({ suite, publicKey: self.candidate.vrfKey, alpha, proof });
  if (!beta) return 'BAD_VRF_PROOF';
  if (!equal(beta, output)) return 'OTHER_OUTPUT';
  const drawn = drawNeighbours(beta, candidateCount, self.index);
  if (neighbours.length !== drawn.length) return 'WRONG_COUNT';
  if (neighbours.some(({ index }, place) => index !== drawn[place])) return 'WRONG_NEIGHBOUR';
  if (selection.takesAll !== takesAll(candidateCount)) return 'WRONG_COUNT';
  return neighbours.every((neighbour) => isCommitted(selection, neighbour))
    ? null
    : 'NEIGHBOUR_NOT_COMMITTED';
};

/**
 * Recomputes a selection from its own data (R98): commitment of the node, VRF proof, draw, commitment of every
 * neighbour. That the epoch is the network's own is for `known` to say: what the verifier has from a source it trusts,
 * such as the log. O(8 log n); never throws.
 */
export const verifySelection = (
  selection: NeighbourSelection,
  known: Partial<EpochCommitment> = {},
): NeighbourVerdict => {
  try {
    const reason = faultOf(selection, known);
    if (reason) return { valid: false, reason };
    const neighbours = selection.neighbours.map(({ candidate }) => candidate.nodeId);
    return { valid: true, nodeId: selection.self.candidate.nodeId, neighbours };
  } catch (error) {
    // Foreign data may break any bound that the encodings check.
    if (error instanceof RangeError || error instanceof TypeError)
      return { valid: false, reason: 'MALFORMED' };
    throw error;
  }
};
