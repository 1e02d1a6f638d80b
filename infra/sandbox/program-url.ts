import { extname } from 'node:path';

/**
 * URL of a program of the sandbox. Code that was bundled (bin/programs.mjs) finds the bundled one, of the same build: both
 * trees are laid out alike.
 */
export const programUrl = (name: 'enclave-process' | 'runner' | 'module-thread'): URL =>
  new URL(`../sandbox/${name}${extname(import.meta.filename)}`, import.meta.url);
