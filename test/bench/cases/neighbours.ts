import { sha256 } from '@noble/hashes/sha2.js';
import { type Candidate, candidateBytes, candidateSet } from '../../../domain/topology/candidate.ts';
import { evaluateEpoch, selectionOf } from '../../../domain/topology/selection.ts';
import { bystander, epochOver, keyOf, nodeName } from '../../../domain/topology/topology.fixture.ts';
import { verifyNeighbours } from '../../../infra/verify/index.ts';
import { type Case, cpuTime } from '../harness.ts';

const CANDIDATES = 100_000;

/**
 * An epoch of 100,000 candidates from nothing: set frozen, one draw, its verification. Beside the hashes that commit to
 * the set, which no implementation can do without.
 */
export const neighbourCases = (): Case[] => {
  const nodeId = nodeName(CANDIDATES / 2);
  const key = keyOf(nodeId);
  const candidates = Array.from({ length: CANDIDATES }, (_, index): Candidate => {
    const candidate = bystander(index);
    return candidate.nodeId === nodeId ? { ...candidate, vrfKey: key.publicKey } : candidate;
  }).reverse();
  const leaf = candidateBytes(bystander(1));
  const pair = new Uint8Array(65);

  return [
    {
      name: 'neighbours-100k',
      unit: 'CPU ms',
      ours: () =>
        cpuTime(0, () => {
          const set = candidateSet(candidates);
          const epoch = epochOver(set, 1);
          const selection = selectionOf(epoch, set, nodeId, evaluateEpoch(key, epoch));
          if (!verifyNeighbours(selection, epoch).valid) throw new Error('a draw of ours does not verify');
        }),
      baseline: () =>
        cpuTime(0, () => {
          for (let index = 0; index < CANDIDATES; index++) {
            sha256(leaf);
            sha256(pair);
          }
        }),
    },
  ];
};
