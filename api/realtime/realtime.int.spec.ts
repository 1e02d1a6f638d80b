import { once } from 'node:events';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import WebSocket from 'ws';
import { newEvent } from '../../domain/event.ts';
import type { JsonObject } from '../../domain/json.ts';
import type { EventStore } from '../../domain/ports/event-store.ts';
import type { Role } from '../../domain/subject/events.ts';
import { createMemoryEventStore } from '../../infra/event-store/memory/store.ts';
import { type Listening, listen } from '../../infra/main/api/listen.ts';
import { appFor, knownCredentials, PRINCIPALS } from '../../test/support/api.ts';
import { createOwnership } from '../log-access/ownership.ts';
import { createHub, type Hub } from './hub.ts';
import { createSession, MAX_BUFFERED_BYTES, SLOW_CONSUMER, type Socket } from './session.ts';

const logger = pino({ level: 'silent' });
const OWN = PRINCIPALS['submitter']?.id ?? '';
const OTHER = 'subject-other';

let store: EventStore;
let hub: Hub;
let server: Listening;
let stop: AbortController;
let following: Promise<void>;
const clients: WebSocket[] = [];

const append = async (
  stream: string,
  ...events: { type: string; [key: string]: unknown }[]
): Promise<bigint> => {
  const revision = (await store.readStream(stream)).at(-1)?.revision ?? -1n;
  const context = {
    occurredAt: '2026-01-01T00:00:00.000Z',
    actor: 'engine',
    correlationId: stream,
    causationId: 'test',
    traceparent: null,
  };
  const result = await store.append({
    stream,
    expectedRevision: revision,
    events: events.map((event) => newEvent(event, context)),
  });
  if (!result.ok) throw new Error('conflict');
  return result.position;
};
const submitted = (submitter: string) => ({ type: 'job.submitted', submitter });
const step = (n: number) => ({ type: 'job.result-received', n });

const startHub = async (): Promise<void> => {
  stop = new AbortController();
  hub = createHub({ store, ownership: createOwnership(store), logger, from: (await store.head()).position });
  following = hub.run(stop.signal);
};

beforeEach(async () => {
  store = createMemoryEventStore();
  await startHub();
  server = await listen(appFor([], { hub }).api, 0);
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.terminate();
  stop.abort();
  await server.stop();
  await following;
  await store.close();
});

interface Frame {
  readonly topic?: string;
  readonly type?: string;
  readonly code?: string;
  readonly position?: string;
  readonly data?: JsonObject;
}

/** A client that keeps every frame and lets a test wait for the next ones. */
const connect = async (apiKey = 'submitter') => {
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}/ws`, { headers: { 'x-api-key': apiKey } });
  clients.push(socket);
  const frames: Frame[] = [];
  let arrived = Promise.withResolvers<void>();
  socket.on('message', (data) => {
    frames.push(JSON.parse((data as Buffer).toString()) as Frame);
    arrived.resolve();
  });
  await once(socket, 'open');
  return {
    socket,
    frames,
    send: (frame: object | string) => socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame)),
    /** Removes and returns the next `count` frames. */
    take: async (count: number): Promise<Frame[]> => {
      while (frames.length < count) {
        await arrived.promise;
        arrived = Promise.withResolvers();
      }
      return frames.splice(0, count);
    },
  };
};

const positions = (frames: readonly Frame[]): number[] => frames.map(({ position }) => Number(position));

describe('/ws', () => {
  it('R30: checks the identity before the accept', async () => {
    for (const headers of [{}, { 'x-api-key': 'nobody' }]) {
      const socket = new WebSocket(`ws://127.0.0.1:${server.port}/ws`, { headers });
      const [, response] = await once(socket, 'unexpected-response');
      expect(response.statusCode).toBe(401);
    }
  });

  it('ends a connection whose identity has lost a role, at the next beat', async () => {
    let roles: readonly Role[] = ['auditor', 'submitter'];
    const byApiKey = async () => ({ id: OWN, roles, premium: false });
    await server.stop();
    server = await listen(appFor([], { hub, credentials: { ...knownCredentials(), byApiKey } }).api, 0);
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    try {
      const { socket } = await connect();
      const closed = once(socket, 'close');
      const pinged = once(socket, 'ping');
      await vi.advanceTimersByTimeAsync(30_000);
      await pinged;
      expect(socket.readyState).toBe(WebSocket.OPEN);
      roles = ['submitter'];
      await vi.advanceTimersByTimeAsync(30_000);
      expect((await closed)[0]).toBe(1008);
    } finally {
      vi.useRealTimers();
    }
  });

  it('answers a request that is no upgrade with a problem', async () => {
    const response = await fetch(`http://127.0.0.1:${server.port}/ws`, {
      headers: { 'x-api-key': 'submitter' },
    });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ errors: [{ field: 'Upgrade' }] });
  });

  it('R31: subscribes, hears its own, unsubscribes', async () => {
    const client = await connect();
    client.send({ action: 'subscribe', topics: ['job_status'] });
    expect(await client.take(1)).toEqual([{ type: 'subscribed', topics: ['job_status'], from: '0' }]);
    await append('job-other', submitted(OTHER));
    await append('job-own', submitted(OWN), { type: 'job.settled' });
    const frames = await client.take(2);
    expect(frames[0]).toMatchObject({
      topic: 'job_status',
      timestamp: '2026-01-01T00:00:00.000Z',
      position: '2',
      data: { job_id: 'job-own', event: 'job.submitted' },
    });
    expect(frames[1]?.data).toMatchObject({ state: 'settled' });
    client.send({ action: 'unsubscribe', topics: ['job_status'] });
    client.send({ action: 'ping' });
    expect(await client.take(2)).toEqual([
      { type: 'unsubscribed', topics: ['job_status'] },
      { type: 'pong' },
    ]);
    await append('job-own', { type: 'job.failed' });
    client.send({ action: 'ping' });
    expect(await client.take(1)).toEqual([{ type: 'pong' }]);
  });

  it('R31: keeps the connection after coded errors', async () => {
    const client = await connect();
    client.send('{');
    client.send({ action: 'dance' });
    client.send({ action: 'subscribe', topics: ['job_status'], admin: true });
    client.send({ action: 'subscribe', topics: ['weather', 'realtime_ledger', 'job_status'] });
    client.send(`"${'x'.repeat(1024 * 1024)}"`);
    client.socket.send(Buffer.from([1, 2, 3]), { binary: true });
    client.send({ action: 'ping' });
    expect(await client.take(8)).toEqual([
      { type: 'error', code: 'JSON_DECODE_ERROR' },
      { type: 'error', code: 'INVALID_MESSAGE_TYPE' },
      { type: 'error', code: 'INVALID_MESSAGE_TYPE' },
      { type: 'error', code: 'UNKNOWN_TOPIC', topic: 'weather' },
      { type: 'error', code: 'TOPIC_FORBIDDEN', topic: 'realtime_ledger' },
      { type: 'subscribed', topics: ['job_status'], from: '0' },
      { type: 'error', code: 'MESSAGE_TOO_LARGE' },
      { type: 'error', code: 'INVALID_MESSAGE_TYPE' },
    ]);
    expect(await client.take(1)).toEqual([{ type: 'pong' }]);
  });

  it('R122: nests the whole event in realtime topics; offices hear all streams', async () => {
    const client = await connect('auditor');
    client.send({ action: 'subscribe', topics: ['realtime_job', 'realtime_ledger'] });
    await client.take(1);
    await append('job-other', submitted(OTHER));
    const [frame] = await client.take(1);
    expect(frame).toMatchObject({
      topic: 'realtime_job',
      data: { id: 'job-other@0', type: 'job.submitted', stream: 'job-other', data: { submitter: OTHER } },
    });
  });

  it('settled 36: tells everybody that a bid came, and whose it is to offices and its bidder alone', async () => {
    const topics = ['auction_updates', 'realtime_auction'];
    const [office, bidder, stranger] = [
      await connect('auditor'),
      await connect('submitter'),
      await connect('provider'),
    ];
    for (const client of [office, bidder, stranger]) client.send({ action: 'subscribe', topics });
    for (const client of [office, bidder, stranger]) await client.take(1);
    const opened = { submitter: OTHER, tier: 'gold', ceiling: '5', winners: 3 };
    const bid = { bidId: 'bid-1', owner: OWN, providerId: 'provider-1', sealed: 'box', placedAt: 'soon' };
    await append('auction-1', { type: 'auction.opened', ...opened });
    await append('auction-1', { type: 'auction.bid-placed', ...bid });
    await append('auction-1', { type: 'auction.extended', closesAt: 'later', owners: 1 });
    await append('auction-1', { type: 'auction.closed', closedAt: 'now' });
    const told = (frames: readonly Frame[]) =>
      frames.map(({ topic, data }) => [topic, data?.['event'] ?? data?.['type']]);
    const updates = ['opened', 'bid-placed', 'extended', 'closed'].map((what) => `auction.${what}`);
    const heard = await office.take(8);
    expect(told(heard)).toEqual(
      updates.flatMap((what) => [
        ['auction_updates', what],
        ['realtime_auction', what],
      ]),
    );
    expect(heard[3]?.data).toMatchObject({ data: bid });
    expect(told(await bidder.take(5))).toEqual([
      ['auction_updates', updates[0]],
      ['auction_updates', updates[1]],
      ['realtime_auction', updates[1]],
      ['auction_updates', updates[2]],
      ['auction_updates', updates[3]],
    ]);
    const overheard = await stranger.take(4);
    expect(told(overheard)).toEqual(updates.map((what) => ['auction_updates', what]));
    expect(overheard[1]?.data).toEqual({
      auction_id: 'auction-1',
      event: 'auction.bid-placed',
      placed_at: 'soon',
    });
    expect(JSON.stringify(overheard)).not.toMatch(/bid-1|box|provider-1/);
    stranger.send({ action: 'ping' });
    expect(await stranger.take(1)).toEqual([{ type: 'pong' }]);
  });

  it('R33: resumes from a position, on another replica, without gap or duplicate, while events arrive', async () => {
    await append('job-own', submitted(OWN), ...Array.from({ length: 1200 }, (_, n) => step(n)));
    const replica = createHub({
      store,
      ownership: createOwnership(store),
      logger,
      from: (await store.head()).position,
    });
    const stopReplica = new AbortController();
    const running = replica.run(stopReplica.signal);
    const second = await listen(appFor([], { hub: replica }).api, 0);
    try {
      const socket = new WebSocket(`ws://127.0.0.1:${second.port}/ws`, {
        headers: { 'x-api-key': 'submitter' },
      });
      clients.push(socket);
      const seen: number[] = [];
      const done = Promise.withResolvers<void>();
      socket.on('message', (data) => {
        const { position } = JSON.parse((data as Buffer).toString()) as Frame;
        if (position !== undefined) seen.push(Number(position));
        if (seen.length === 1501 - 200) done.resolve();
      });
      await once(socket, 'open');
      socket.send(JSON.stringify({ action: 'subscribe', topics: ['job_status'], from: '200' }));
      for (let n = 0; n < 300; n++) await append('job-own', step(n));
      await done.promise;
      expect(seen).toEqual(Array.from({ length: 1301 }, (_, n) => n + 201));
    } finally {
      stopReplica.abort();
      await second.stop();
      await running;
    }
  });

  it('R33: resumes where it left after a lost connection', async () => {
    await append('job-own', submitted(OWN), step(0));
    const first = await connect();
    first.send({ action: 'subscribe', topics: ['job_status'], from: 0 });
    await first.take(1);
    const [, last] = positions(await first.take(2));
    first.socket.terminate();
    await append('job-own', step(1), step(2));
    const second = await connect();
    second.send({ action: 'subscribe', topics: ['job_status'], from: String(last) });
    await second.take(1);
    await append('job-own', step(3));
    expect(positions(await second.take(3))).toEqual([3, 4, 5]);
  });

  it('tells sockets to resume elsewhere when the server stops', async () => {
    const client = await connect();
    const closed = once(client.socket, 'close');
    await server.stop();
    expect((await closed)[0]).toBe(1001);
    server = await listen(appFor([], { hub }).api, 0);
  });
});

describe('a slow consumer', () => {
  it('R32: is closed with 1013 past its queue, and harms no other', async () => {
    const closed: number[] = [];
    const heard: string[] = [];
    const socket = (buffered: () => number, close: (code: number) => void): Socket => ({
      send: (frame) => void heard.push(frame),
      bufferedBytes: buffered,
      flushed: async () => undefined,
      close,
    });
    const principal = await knownCredentials().byApiKey('auditor');
    if (!principal) throw new Error('no auditor');
    const slow = createSession({
      principal,
      socket: {
        ...socket(
          () => MAX_BUFFERED_BYTES + 1,
          (code) => closed.push(code),
        ),
        send: () => undefined,
      },
      hub,
      logger,
    });
    const quick = createSession({
      principal,
      socket: socket(
        () => 0,
        () => undefined,
      ),
      hub,
      logger,
    });
    for (const session of [slow, quick]) session.receive('{"action":"subscribe","topics":["job_status"]}');
    const witness = await connect('auditor');
    witness.send({ action: 'subscribe', topics: ['job_status'] });
    await witness.take(1);
    await append('job-own', submitted(OWN));
    await append('job-own', step(1));
    await witness.take(2);
    expect(closed).toEqual([SLOW_CONSUMER]);
    expect(heard).toHaveLength(3);
    quick.end();
  });

  it('R32: that stops reading is closed over a real socket and may resume', async () => {
    const client = await connect();
    client.send({ action: 'subscribe', topics: ['job_status'] });
    await client.take(1);
    const closed = once(client.socket, 'close');
    const witness = await connect();
    witness.send({ action: 'subscribe', topics: ['job_status'] });
    await witness.take(1);
    client.socket.pause();
    await append('job-own', submitted(OWN));
    const filler = 'x'.repeat(200_000);
    for (let n = 0; n < 100; n++) {
      await append('job-own', { type: 'job.result-received', n, filler });
      await witness.take(1);
    }
    client.socket.resume();
    expect((await closed)[0]).toBe(SLOW_CONSUMER);
    const last = Math.max(...positions(client.frames));
    const again = await connect();
    again.send({ action: 'subscribe', topics: ['job_status'], from: last });
    await again.take(1);
    const rest = 101 - last;
    expect(positions(await again.take(rest))).toEqual(Array.from({ length: rest }, (_, n) => last + n + 1));
  });
});
