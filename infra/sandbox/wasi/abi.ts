/** WASI preview 1 (snapshot 1 of the witx definition): numbers and names. */

export const ERRNO = {
  success: 0,
  badf: 8,
  fault: 21,
  inval: 28,
  nospc: 51,
  spipe: 70,
  notcapable: 76,
} as const;

export const STDIN = 0;
export const STDOUT = 1;
export const STDERR = 2;
