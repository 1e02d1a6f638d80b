import { randomBytes } from 'node:crypto';
import { bytesToHex } from '@noble/hashes/utils.js';
import type { NeighbourhoodReply } from '../../../domain/mesh/messages.ts';
import { providerIdOf } from '../../../domain/provider/provider-id.ts';
import { type CandidateSet, candidateSet } from '../../../domain/topology/candidate.ts';
import type { EpochFacts } from '../../../domain/topology/commitment.ts';
import type { EpochCommitment } from '../../../domain/topology/draw.ts';
import { nodeVrfKey } from '../../../domain/topology/node-key.ts';
import { evaluateEpoch, type NeighbourSelection, selectionOf } from '../../../domain/topology/selection.ts';
import { type SelectionJson, selectionToJson } from '../../../domain/topology/selection-json.ts';
import { bystander, epochOver } from '../../../domain/topology/topology.fixture.ts';
import type { VrfKey } from '../../../domain/vrf/prove.ts';
import { createPeer, type Peer } from '../../p2p/peer.ts';

/** A node as others know it, and the key it draws with. */
export interface Member {
  readonly nodeId: string;
  readonly vrfKey: VrfKey;
  readonly addresses: readonly string[];
}

/** One that is played by a peer. */
export interface PlayedMember extends Member {
  readonly seed: Uint8Array;
  readonly peer: Peer;
}

export const createMember = async (): Promise<PlayedMember> => {
  const seed = randomBytes(32);
  const peer = await createPeer({ seed, listen: ['/ip4/127.0.0.1/tcp/0'] });
  return {
    seed,
    peer,
    nodeId: providerIdOf(peer.publicKey),
    vrfKey: nodeVrfKey(seed),
    addresses: peer.addresses(),
  };
};

/** The members among enough others that nobody draws everybody. */
export const setOf = (members: readonly Omit<Member, 'addresses'>[], others = 20): CandidateSet =>
  candidateSet([
    ...members.map(({ nodeId, vrfKey }) => ({ ...bystander(0), nodeId, vrfKey: vrfKey.publicKey })),
    ...Array.from({ length: others }, (_, index) => bystander(index)),
  ]);

export const drawOf = (set: CandidateSet, { nodeId, vrfKey }: Member, epoch: number): NeighbourSelection => {
  const commitment = epochOver(set, epoch);
  return selectionOf(commitment, set, nodeId, evaluateEpoch(vrfKey, commitment));
};

export const showing = (set: CandidateSet, member: Member, epoch: number): SelectionJson =>
  selectionToJson(drawOf(set, member, epoch));

const lists = (selection: NeighbourSelection, { nodeId }: Member): boolean =>
  selection.neighbours.some(({ candidate }) => candidate.nodeId === nodeId);

/** The first epoch from `from` on in which the draws of `a` and `b` are as wanted. */
export const epochWhere = (
  set: CandidateSet,
  [a, b]: readonly [Member, Member],
  [aListsB, bListsA]: readonly [boolean, boolean],
  from = 1,
): number => {
  for (let epoch = from; ; epoch++) {
    if (lists(drawOf(set, a, epoch), b) === aListsB && lists(drawOf(set, b, epoch), a) === bListsA)
      return epoch;
  }
};

const factsOf = ({ network, epoch, beacon, candidateRoot, candidateCount }: EpochCommitment): EpochFacts => ({
  network,
  epoch,
  beacon: bytesToHex(beacon),
  candidateRoot: bytesToHex(candidateRoot),
  candidateCount,
});

/** What an engine says to `member` when `epochs` (newest first) are in force and all `members` are within reach. */
export const toldTo = (
  set: CandidateSet,
  member: Member,
  members: readonly Member[],
  epochs: readonly number[],
): NeighbourhoodReply => {
  const selections = epochs.map((epoch) => drawOf(set, member, epoch));
  return {
    type: 'neighbourhood',
    epochs: selections.map((selection) => ({
      ...factsOf(selection),
      selection: selectionToJson(selection),
    })),
    contacts: members
      .filter((other) => selections.some((selection) => lists(selection, other)))
      .map(({ nodeId, addresses }) => ({ nodeId, addresses })),
  };
};
