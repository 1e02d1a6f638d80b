import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import type { EcvrfSuite } from '../vrf/suite.ts';
import type { CommittedCandidate, NeighbourSelection } from './selection.ts';

/** A committed candidate in JSON; bytes are lower-case hex. */
export interface CommittedCandidateJson {
  readonly node_id: string;
  readonly public_key: string;
  readonly weight: number;
  readonly address_prefix: string;
  readonly operator: string;
  readonly index: number;
  readonly path: readonly string[];
}

/** A selection as it travels and lies in files: `POST /v1/fog/vrf/select` answers it, `vrf/verify` takes it. */
export interface SelectionJson {
  readonly node_id: string;
  readonly public_key: string;
  readonly network: string;
  readonly suite: string;
  readonly epoch: number;
  readonly beacon: string;
  readonly candidate_root: string;
  readonly candidate_count: number;
  readonly self: Omit<CommittedCandidateJson, 'node_id' | 'public_key'>;
  readonly takes_all: boolean;
  readonly neighbors: readonly CommittedCandidateJson[];
  readonly vrf_output: string;
  readonly vrf_proof: string;
}

const candidateToJson = ({ candidate, index, path }: CommittedCandidate): CommittedCandidateJson => ({
  node_id: candidate.nodeId,
  public_key: bytesToHex(candidate.vrfKey),
  weight: candidate.weight,
  address_prefix: candidate.addressPrefix,
  operator: candidate.operator,
  index,
  path: path.map((hash) => bytesToHex(hash)),
});

export const selectionToJson = (selection: NeighbourSelection): SelectionJson => {
  const { node_id, public_key, ...self } = candidateToJson(selection.self);
  return {
    node_id,
    public_key,
    network: selection.network,
    suite: selection.suite,
    epoch: selection.epoch,
    beacon: bytesToHex(selection.beacon),
    candidate_root: bytesToHex(selection.candidateRoot),
    candidate_count: selection.candidateCount,
    self,
    takes_all: selection.takesAll,
    neighbors: selection.neighbours.map(candidateToJson),
    vrf_output: bytesToHex(selection.output),
    vrf_proof: bytesToHex(selection.proof),
  };
};

/** A path in a tree of at most 2^53 leaves is no longer; a selection has at most 8 neighbours, with room for a wrong one. */
const LONGEST_LIST = 64;

class FormError extends Error {}

const object = (value: unknown): Record<string, unknown> => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new FormError('an object');
  return value as Record<string, unknown>;
};
const text = (value: unknown): string => {
  if (typeof value !== 'string') throw new FormError('a string');
  return value;
};
const count = (value: unknown): number => {
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw new FormError('a count');
  return value as number;
};
const flag = (value: unknown): boolean => {
  if (typeof value !== 'boolean') throw new FormError('a boolean');
  return value;
};
/** Lower-case only: one text per byte string. */
const hex = (value: unknown, bytes: number): Uint8Array => {
  if (typeof value !== 'string' || value.length !== 2 * bytes || !/^[0-9a-f]*$/.test(value)) {
    throw new FormError(`${bytes} bytes in hex`);
  }
  return hexToBytes(value);
};
const list = <T>(value: unknown, item: (each: unknown) => T): T[] => {
  if (!Array.isArray(value) || value.length > LONGEST_LIST) throw new FormError('a short list');
  return value.map(item);
};

const candidateFromJson = (value: unknown): CommittedCandidate => {
  const json = object(value);
  return {
    candidate: {
      nodeId: text(json['node_id']),
      vrfKey: hex(json['public_key'], 32),
      weight: count(json['weight']),
      addressPrefix: text(json['address_prefix']),
      operator: text(json['operator']),
    },
    index: count(json['index']),
    path: list(json['path'], (hash) => hex(hash, 32)),
  };
};

/** The selection in foreign JSON, or null where it has another form. Unknown members are passed over. */
export const selectionFromJson = (value: unknown): NeighbourSelection | null => {
  try {
    const json = object(value);
    const { node_id, public_key } = json;
    return {
      network: text(json['network']),
      // Another suite's name is for the verifier to refuse.
      suite: text(json['suite']) as EcvrfSuite,
      epoch: count(json['epoch']),
      beacon: hex(json['beacon'], 32),
      candidateRoot: hex(json['candidate_root'], 32),
      candidateCount: count(json['candidate_count']),
      self: candidateFromJson({ ...object(json['self']), node_id, public_key }),
      takesAll: flag(json['takes_all']),
      neighbours: list(json['neighbors'], candidateFromJson),
      output: hex(json['vrf_output'], 64),
      proof: hex(json['vrf_proof'], 80),
    };
  } catch (error) {
    if (error instanceof FormError) return null;
    throw error;
  }
};
