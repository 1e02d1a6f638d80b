/** What an instrumented module exports, beside `memory`: all that the sandbox sets and reads. */
export const EXPORTS = {
  /** Function: charges the module's size, runs its start function, then its `_start`. */
  run: 'run',
  memory: 'memory',
  /** i64: fuel that is left. Set to the limit before the run; WASI calls take from it. Below zero: the limit is passed. */
  fuel: 'fuel',
  /** i32, of `ENDED`: why metering ended the run. */
  ended: 'ended',
  /** i32: pages that the memory may have. Set before the run. */
  pages: 'pages',
  /** i32: 1 while the newest request for memory was refused because of `pages`. */
  refused: 'refused',
} as const;

export const ENDED = {
  /** The module ended by itself. */
  no: 0,
  fuel: 1,
  stack: 2,
  /** The machine could not give memory that the limit allows: no outcome of the module. */
  host: 3,
} as const;
