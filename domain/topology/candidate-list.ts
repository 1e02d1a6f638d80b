import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import { canonicalJson } from '../json.ts';
import type { Candidate } from './candidate.ts';

/** One candidate per line as canonical JSON, in the order of the leaves: what an epoch's artefact holds. */
export const candidateLines = (candidates: readonly Candidate[]): string =>
  candidates
    .map(({ vrfKey, ...facts }) => `${canonicalJson({ ...facts, vrfKey: bytesToHex(vrfKey) })}\n`)
    .join('');

/** What `candidateLines` wrote. The epoch's root says whether it is that. @throws SyntaxError on other text. */
export const candidatesIn = (lines: string): Candidate[] =>
  lines
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const { vrfKey, ...facts } = JSON.parse(line) as Omit<Candidate, 'vrfKey'> & {
        readonly vrfKey: string;
      };
      return { ...facts, vrfKey: hexToBytes(vrfKey) };
    });
