import { instant } from '../domain/time.ts';

/** Temporal's clock in a workflow: it stands still within a task and reads the same on replay. RFC 3339. */
export const now = (): string => instant(Date.now());
