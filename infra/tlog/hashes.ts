import { hash } from 'node:crypto';
import { type Sha256, treeHashes } from '../../domain/merkle.ts';

/** SHA-256 of Node, several times faster than the portable one. Over a string it takes half the time of a fresh buffer. */
export const nodeSha256: Sha256 = (bytes) => Buffer.from(hash('sha256', bytes, 'binary'), 'binary');

export const { node: nodeHash } = treeHashes(nodeSha256);
