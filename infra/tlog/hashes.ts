import { hash } from 'node:crypto';
import { type Sha256, treeHashes } from '../../domain/merkle.ts';

/** SHA-256 of Node: several times faster than the portable one. */
export const nodeSha256: Sha256 = (bytes) => hash('sha256', bytes, 'buffer');

export const { node: nodeHash } = treeHashes(nodeSha256);
