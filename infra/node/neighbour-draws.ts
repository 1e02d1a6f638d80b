import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import { type Rejection, reject } from '../../domain/errors.ts';
import type { NodeReplies, NodeRequest } from '../../domain/mesh/messages.ts';
import { evaluateEpoch } from '../../domain/topology/selection.ts';
import type { VrfKey } from '../../domain/vrf/prove.ts';

type DrawRequest = Extract<NodeRequest, { type: 'draw-neighbours' }>;
type Draw = NodeReplies['draw-neighbours'];

/** Draws remembered: of two epochs at a time, for a few engines. */
const REMEMBERED = 16;

export interface NeighbourDraws {
  /** The draw of an epoch. A second commitment for the same epoch is a CONFLICT: one of them is not the network's. */
  draw(request: DrawRequest): Draw | Rejection;
}

/** The draws of one node: only here its key is used. */
export const createNeighbourDraws = (key: VrfKey): NeighbourDraws => {
  const drawn = new Map<string, { readonly commitment: string; readonly draw: Draw }>();

  return {
    draw({ type: _, network, epoch, beacon, candidateRoot, candidateCount }) {
      const id = `${epoch}/${network}`;
      const commitment = `${beacon}/${candidateRoot}/${candidateCount}`;
      const known = drawn.get(id);
      if (known) {
        return known.commitment === commitment
          ? known.draw
          : reject('CONFLICT', `this node has drawn for another commitment of epoch ${epoch}`);
      }
      const { output, proof } = evaluateEpoch(key, {
        network,
        epoch,
        beacon: hexToBytes(beacon),
        candidateRoot: hexToBytes(candidateRoot),
        candidateCount,
      });
      const draw: Draw = {
        type: 'neighbours-drawn',
        output: bytesToHex(output),
        proof: bytesToHex(proof),
      };
      drawn.set(id, { commitment, draw });
      if (drawn.size > REMEMBERED) drawn.delete(drawn.keys().next().value as string);
      return draw;
    },
  };
};
