/** The task queue of all lifecycles and their effects. */
export const TASK_QUEUE = 'aivillage';
