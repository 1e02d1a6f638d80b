import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import { ok, type Result, reject } from '../../domain/errors.ts';
import type { NodeGateway } from '../../domain/ports/node-gateway.ts';
import type { CandidateSet } from '../../domain/topology/candidate.ts';
import type { RecordSelection } from '../../domain/topology/commands.ts';
import type { EpochCommitment } from '../../domain/topology/draw.ts';
import { type NeighbourSelection, selectionOf } from '../../domain/topology/selection.ts';
import { verifyNeighbours } from '../verify/index.ts';

const TIMEOUT_MS = 10_000;

/** Has nodes draw their neighbours: the engine holds no key of theirs, so it asks, and believes nothing. */
export interface Drawer {
  /** The verified selection of a candidate of `set`, drawn by the node now. */
  draw(
    epoch: EpochCommitment,
    set: CandidateSet,
    nodeId: string,
    signal?: AbortSignal,
  ): Promise<Result<NeighbourSelection>>;
}

export const createDrawer = ({ gateway }: { readonly gateway: Pick<NodeGateway, 'request'> }): Drawer => ({
  async draw(epoch, set, nodeId, signal) {
    const reply = await gateway.request(
      nodeId,
      {
        type: 'draw-neighbours',
        network: epoch.network,
        epoch: epoch.epoch,
        beacon: bytesToHex(epoch.beacon),
        candidateRoot: bytesToHex(epoch.candidateRoot),
        candidateCount: epoch.candidateCount,
      },
      { timeoutMs: TIMEOUT_MS, ...(signal && { signal }) },
    );
    switch (reply.type) {
      case 'neighbours-drawn': {
        const evaluation = { output: hexToBytes(reply.output), proof: hexToBytes(reply.proof) };
        const selection = selectionOf(epoch, set, nodeId, evaluation);
        const verdict = verifyNeighbours(selection, epoch);
        if (verdict.valid) return ok(selection);
        return reject('PROOF_VERIFICATION_FAILED', `the draw of ${nodeId} does not hold: ${verdict.reason}`);
      }
      case 'refused':
        return reject(reply.code, reply.message, reply.errors);
      case 'unreachable':
        return reject('RESOURCE_UNAVAILABLE', `${nodeId} is out of reach: ${reply.message}`);
    }
  },
});

/** What the log keeps of a selection: with the candidate set it is the whole of it. */
export const recordOf = ({ self, neighbours, output, proof }: NeighbourSelection): RecordSelection => ({
  type: 'record-selection',
  nodeId: self.candidate.nodeId,
  index: self.index,
  output: bytesToHex(output),
  proof: bytesToHex(proof),
  neighbours: neighbours.map(({ candidate }) => candidate.nodeId),
});
