import { Hono } from 'hono';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Api, ApiEnv } from '../../../api/environment.ts';
import {
  type KeepAliveClient,
  type KeptAnswer,
  keepAliveClient,
  NotTaken,
} from '../../../test/support/keep-alive.ts';
import { type Listening, listen } from './listen.ts';

let client: KeepAliveClient;
let served: number;
let held: PromiseWithResolvers<void>;
let holding: PromiseWithResolvers<void>;
let running: Listening[];

beforeEach(() => {
  client = keepAliveClient();
  served = 0;
  held = Promise.withResolvers();
  holding = Promise.withResolvers();
  running = [];
});
afterEach(async () => {
  client.close();
  held.resolve();
  await Promise.all(running.map((server) => server.stop()));
});

const app = (): Api => {
  const api: Api = new Hono<ApiEnv>();
  api.post('/held', async (c) => {
    holding.resolve();
    await held.promise;
    return c.text('held');
  });
  api.post('/quick', async (c) => {
    await c.req.text();
    served += 1;
    return c.text('quick');
  });
  return api;
};
const serve = async (port = 0): Promise<Listening> => {
  const server = await listen(app(), port);
  running.push(server);
  return server;
};

const post = (port: number, path: string, by = client): Promise<KeptAnswer> =>
  by.post(`http://127.0.0.1:${port}${path}`, '{}');

describe('a server that stops', () => {
  it('answers what is under way, and asks the client to go elsewhere', async () => {
    const { port, stop } = await serve();
    const answer = post(port, '/held');
    await holding.promise;
    const stopped = stop();
    held.resolve();
    expect(await answer).toEqual({ status: 200, connection: 'close', body: 'held' });
    await stopped;
    await expect(post(port, '/quick')).rejects.toThrow(NotTaken);
  });

  it('answers a request that comes on a connection which was idle when it began to stop', async () => {
    const { port, stop } = await serve();
    expect(await post(port, '/quick')).toMatchObject({ connection: 'keep-alive' });
    const stopped = stop();
    expect(await post(port, '/quick')).toEqual({ status: 200, connection: 'close', body: 'quick' });
    await stopped;
  });

  it('ends at once without connections, and ends idle ones soon', async () => {
    const { stop } = await serve();
    await stop();
    const other = await serve();
    await post(other.port, '/quick');
    await other.stop();
  });

  it('in a rolling restart of two under load, no request that was taken is lost', async () => {
    const ports = [(await serve()).port, (await serve()).port];
    const stopping = new AbortController();
    let answered = 0;
    const failures: unknown[] = [];
    /** Goes to the other server where one takes no connection; any other failure may be a lost request. */
    const ask = async (first: number): Promise<void> => {
      const own = keepAliveClient();
      let at = first;
      while (!stopping.signal.aborted) {
        try {
          const { status } = await post(ports[at % 2] as number, '/quick', own);
          expect(status).toBe(200);
          answered += 1;
        } catch (error) {
          if (!(error instanceof NotTaken)) failures.push(error);
          at += 1;
        }
      }
      own.close();
    };
    const clients = Promise.all(Array.from({ length: 8 }, (_, index) => ask(index)));
    const more = async () => {
      const before = answered;
      await expect.poll(() => answered, { timeout: 20_000, interval: 5 }).toBeGreaterThan(before + 50);
    };
    for (let round = 0; round < 3; round++) {
      for (const port of ports) {
        await more();
        await running.shift()?.stop();
        await more();
        await serve(port);
      }
    }
    stopping.abort();
    await clients;
    expect(failures).toEqual([]);
    // So what was reset had not been taken.
    expect(served).toBe(answered);
  });
});
