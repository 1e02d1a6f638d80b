import { expect } from 'vitest';
import type { Caller } from './principals.ts';

/** The end of the log now: an answer `after` it has seen everything that was done before. */
export const logEnd = async ({ rest }: Caller): Promise<string> => {
  const { status, body } = await rest.get<{ position: string }>('/v1/system/info');
  expect(status).toBe(200);
  return body.position;
};

export interface Account {
  readonly available: string;
  readonly escrow: string;
  readonly deposits: string;
  readonly stake: string;
  readonly total: string;
}

/** The money of `caller`, as `viewer` sees it, with all that was booked before this call. */
export const accountOf = async (caller: Caller, viewer: Caller = caller): Promise<Account> => {
  const after = await logEnd(viewer);
  const { status, body } = await viewer.rest.get<Account>(`/v1/ledger/accounts/${caller.id}?after=${after}`);
  expect(status).toBe(200);
  return body;
};

export interface LogEvent {
  readonly type: string;
  readonly stream: string;
  readonly position: string;
  readonly workflowId: string | null;
  readonly runId: string | null;
  readonly data: Readonly<Record<string, unknown>>;
}

/** A page of the log as `caller` may read it. */
export const eventsOf = async ({ rest }: Caller, query: string): Promise<readonly LogEvent[]> => {
  const { status, body } = await rest.get<{ events: LogEvent[] }>(`/v1/events?limit=500&${query}`);
  expect(status).toBe(200);
  return body.events;
};
