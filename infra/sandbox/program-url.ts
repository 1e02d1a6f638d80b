/** Sources run as they are; what bin/programs.mjs makes of the sandbox's programs is CommonJS. */
const EXTENSION = import.meta.filename.endsWith('.ts') ? 'ts' : 'cjs';

/**
 * URL of a program of the sandbox. Code that was bundled finds the bundled one, of the same build: both trees are laid out
 * alike.
 */
export const programUrl = (name: 'enclave-process' | 'runner' | 'module-thread'): URL =>
  new URL(`../sandbox/${name}.${EXTENSION}`, import.meta.url);
