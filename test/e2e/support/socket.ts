import { once } from 'node:events';
import { vi } from 'vitest';
import { WebSocket } from 'ws';
import { byToken } from '../../support/rest.ts';
import type { Caller } from './principals.ts';
import type { SharedStack } from './shared-stack.ts';

export interface Frame {
  readonly topic: string;
  readonly position: string;
  readonly data: {
    readonly [name: string]: unknown;
    readonly event?: string;
    readonly auction_id?: string;
    readonly stream?: string;
  };
}

export interface Listener {
  /** Frames of topics so far, in order. */
  readonly frames: readonly Frame[];
  /** The first frame that `wanted` accepts; waits for it. */
  heard(wanted: (frame: Frame) => boolean): Promise<Frame>;
  close(): void;
}

/** Subscribes to topics over `/ws` and keeps all that is told. */
export const listen = async (
  { apiUrl }: SharedStack,
  { token }: Caller,
  topics: readonly string[],
): Promise<Listener> => {
  const ws = new WebSocket(`${apiUrl.replace('http', 'ws')}/ws`, { headers: byToken(token) });
  const frames: Frame[] = [];
  const subscribed = Promise.withResolvers<void>();
  ws.on('message', (data: Buffer) => {
    const frame = JSON.parse(data.toString('utf8')) as Frame & { type?: string };
    if (frame.type === undefined) frames.push(frame);
    else if (frame.type === 'subscribed') subscribed.resolve();
  });
  await once(ws, 'open');
  ws.send(JSON.stringify({ action: 'subscribe', topics }));
  await subscribed.promise;
  return {
    frames,
    heard: (wanted) => vi.waitUntil(() => frames.find(wanted), { timeout: 40_000 }),
    close: () => ws.close(),
  };
};
