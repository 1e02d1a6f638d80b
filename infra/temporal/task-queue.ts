/** The task queue of all lifecycles and their effects. */
export const TASK_QUEUE = 'aivillage';

/**
 * After this, what was on its way to a worker that died goes to any other: Temporal's own 10 s is longer than many an
 * auction.
 */
export const STICKY_TIMEOUT = '3 seconds';
