import { ok, type Result, reject } from '../../../domain/errors.ts';
import { mayConnect, type VerifiedDraw } from '../../../domain/topology/accept-peer.ts';
import type { EpochCommitment } from '../../../domain/topology/draw.ts';
import type { SelectionJson } from '../../../domain/topology/selection-json.ts';
import { verifyNeighbours } from '../../verify/index.ts';

/** What a node goes by when another connects. */
export interface KnownEpochs {
  /** Epochs in force, newest first; empty before the network's first one. */
  readonly epochs: readonly EpochCommitment[];
  /** The node's own draws in them. */
  readonly own: readonly VerifiedDraw[];
}

/**
 * The draws among `selections` that are of a known epoch, each verified against it. Those of other epochs count for
 * nothing: two nodes do not learn of a new epoch at the same moment.
 * @param nodeId whose draws they have to be; a draw that does not hold, or is another's, is refused.
 */
export const verifiedDraws = (
  nodeId: string,
  selections: readonly SelectionJson[],
  epochs: readonly EpochCommitment[],
): Result<readonly VerifiedDraw[]> => {
  const draws: VerifiedDraw[] = [];
  for (const selection of selections) {
    const known = epochs.find(
      ({ network, epoch }) => network === selection.network && epoch === selection.epoch,
    );
    if (!known) continue;
    if (selection.node_id !== nodeId)
      return reject('AUTHENTICATION_FAILED', `a draw of another node than ${nodeId}`);
    const verdict = verifyNeighbours(selection, known);
    if (!verdict.valid)
      return reject('PROOF_VERIFICATION_FAILED', `the draw of epoch ${known.epoch}: ${verdict.reason}`);
    draws.push({ epoch: known.epoch, nodeId, neighbours: verdict.neighbours });
  }
  return ok(draws);
};

/** Whether two nodes whose draws are verified may be connected now. */
export const mayBeNeighbours = (
  self: string,
  peer: string,
  draws: readonly VerifiedDraw[],
  { epochs: [current], own }: KnownEpochs,
): boolean => current !== undefined && mayConnect(self, peer, [...own, ...draws], current.epoch);

/**
 * Whether `self` takes `peer`, from what the peer shows and what `self` knows: a draw in force of one lists the other.
 * @returns the peer's verified draws.
 */
export const acceptPeer = (
  self: string,
  peer: string,
  selections: readonly SelectionJson[],
  known: KnownEpochs,
): Result<readonly VerifiedDraw[]> => {
  if (known.epochs.length === 0)
    return reject('RESOURCE_UNAVAILABLE', 'this node knows of no epoch yet, so it takes nobody');
  const draws = verifiedDraws(peer, selections, known.epochs);
  if (!draws.ok || mayBeNeighbours(self, peer, draws.value, known)) return draws;
  return reject('AUTHORIZATION_FAILED', 'no draw in force of one of the two lists the other');
};
