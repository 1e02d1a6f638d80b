import type { Logger } from 'pino';

/** What is needed of a logger. */
export type Log = Pick<Logger, 'info' | 'warn' | 'error'>;
