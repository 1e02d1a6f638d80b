import { inject } from 'vitest';
import { demand } from './on-demand.ts';

/** `host:port` of the run's Temporal server, started by the first call. Its namespace is `default`. */
export const temporalAddress = (): Promise<string> => demand(inject('temporalPort'));
