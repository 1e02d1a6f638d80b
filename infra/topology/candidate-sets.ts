import { bytesToHex } from '@noble/hashes/utils.js';
import { LRUCache } from 'lru-cache';
import type { Artifacts } from '../../domain/ports/artifacts.ts';
import { type CandidateSet, candidateSet } from '../../domain/topology/candidate.ts';
import { candidateLines, candidatesIn } from '../../domain/topology/candidate-list.ts';

const OWNER = 'engine';
const MEDIA_TYPE = 'application/x-ndjson';
/** Two epochs hold at a time; a tree over 100,000 candidates takes most of a second to build. */
const CACHED = 4;

/** The frozen sets of epochs: artefacts, so that events stay small and anybody can fetch what a root stands for. */
export interface CandidateSets {
  /** Keeps a set; its artefact's SHA-256. */
  keep(set: CandidateSet): Promise<string>;
  /**
   * The set behind an epoch's commitment.
   * @throws Error when the artefact is gone or has another root.
   */
  load(sha256: string, root: string): Promise<CandidateSet>;
}

export const createCandidateSets = (artifacts: Pick<Artifacts, 'put' | 'read'>): CandidateSets => {
  const cache = new LRUCache<string, CandidateSet>({ max: CACHED });

  return {
    async keep(set) {
      const bytes = Buffer.from(candidateLines(set.candidates));
      const { sha256 } = await artifacts.put(bytes, OWNER, MEDIA_TYPE);
      cache.set(sha256, set);
      return sha256;
    },
    async load(sha256, root) {
      const known = cache.get(sha256);
      if (known) return known;
      const bytes = await artifacts.read(sha256);
      if (!bytes) throw new Error(`the candidate set ${sha256} is gone`);
      const set = candidateSet(candidatesIn(Buffer.from(bytes).toString()));
      if (bytesToHex(set.tree.root) !== root) throw new Error(`the candidate set ${sha256} has another root`);
      cache.set(sha256, set);
      return set;
    },
  };
};
