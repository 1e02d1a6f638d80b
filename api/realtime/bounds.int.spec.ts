import { once } from 'node:events';
import { connect as connectTcp, type Socket as TcpSocket } from 'node:net';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import WebSocket from 'ws';
import { type DomainEvent, newEvent } from '../../domain/event.ts';
import { type EventStore, NO_STREAM } from '../../domain/ports/event-store.ts';
import { createMemoryEventStore } from '../../infra/event-store/memory/store.ts';
import { type Listening, listen } from '../../infra/main/api/listen.ts';
import { appFor, PRINCIPALS } from '../../test/support/api.ts';
import { createOwnership } from '../log-access/ownership.ts';
import { createHub, type Hub } from './hub.ts';
import { createSession, MAX_BUFFERED_BYTES, SLOW_CONSUMER } from './session.ts';

const logger = pino({ level: 'silent' });
const MIB = 1024 * 1024;

let store: EventStore;
let hub: Hub;
let server: Listening;
let raw: TcpSocket[];
let clients: WebSocket[];
beforeEach(async () => {
  store = createMemoryEventStore();
  hub = createHub({ store, ownership: createOwnership(store), logger, from: 0n });
  server = await listen(appFor([], { hub }).api, 0);
  raw = [];
  clients = [];
});
afterEach(async () => {
  for (const socket of raw) socket.destroy();
  for (const client of clients) client.terminate();
  await server.stop();
  await store.close();
});

const connect = (apiKey = 'submitter'): WebSocket => {
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}/ws`, { headers: { 'x-api-key': apiKey } });
  socket.on('error', () => undefined);
  clients.push(socket);
  return socket;
};

/** A connection of which every byte is the test's own. */
const upgrade = async (apiKey: string): Promise<TcpSocket> => {
  const socket = connectTcp(server.port, '127.0.0.1');
  raw.push(socket);
  socket.on('error', () => undefined);
  const lines = [
    'GET /ws HTTP/1.1',
    `Host: 127.0.0.1:${server.port}`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
    `X-API-Key: ${apiKey}`,
  ];
  socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  const [answer] = (await once(socket, 'data')) as [Buffer];
  expect(answer.toString()).toContain('101');
  return socket;
};

/** All of a text frame of `bytes` but its last byte. */
const halfFrame = (bytes: number): Buffer => {
  const header = Buffer.alloc(14);
  header[0] = 0x81;
  header[1] = 0x80 | 127;
  header.writeBigUInt64BE(BigInt(bytes), 2);
  return Buffer.concat([header, Buffer.alloc(bytes - 1, 0x20)]);
};

describe('half-sent frames', () => {
  it('are bounded in sum: whoever holds the most is cut off, and the others go on', async () => {
    const witness = connect('auditor');
    await once(witness, 'open');
    const holders = await Promise.all(Array.from({ length: 15 }, () => upgrade('submitter')));
    let cut = 0;
    for (const holder of holders) {
      holder.resume();
      holder.once('close', () => {
        cut += 1;
      });
      holder.write(halfFrame(MIB));
    }
    await vi.waitFor(() => expect(cut).toBeGreaterThanOrEqual(15 - 8), { timeout: 20_000 });
    witness.send('{"action":"ping"}');
    expect(String((await once(witness, 'message'))[0])).toBe('{"type":"pong"}');
  });

  it('in single bytes or fragments without end are no way round', async () => {
    const fragments = await upgrade('submitter');
    // A text frame that is not the last, then continuations, each empty.
    const empty = (first: number) => Buffer.from([first, 0x80, 0, 0, 0, 0]);
    fragments.write(Buffer.concat([empty(0x01), ...Array.from({ length: 100 }, () => empty(0x00))]));
    const [answer] = (await once(fragments, 'data')) as [Buffer];
    // A close frame with 1008, "policy violation".
    expect([answer[0], answer.readUInt16BE(2)]).toEqual([0x88, 1008]);
  });
});

describe('sockets at once', () => {
  it('are so many for each principal; one more is told to come again, and another takes a place that is left', async () => {
    const open = Array.from({ length: 16 }, () => connect());
    await Promise.all(open.map((socket) => once(socket, 'open')));
    const [, refused] = (await once(connect(), 'unexpected-response')) as [
      unknown,
      { statusCode: number; headers: Record<string, string> },
    ];
    expect([refused.statusCode, refused.headers['retry-after']]).toEqual([429, '1']);
    await once(connect('auditor'), 'open');
    const [first] = open;
    first?.close();
    await once(first as WebSocket, 'close');
    await vi.waitFor(async () => {
      const again = connect();
      const opened = await Promise.race([
        once(again, 'open').then(() => true),
        once(again, 'unexpected-response').then(() => false),
      ]);
      expect(opened).toBe(true);
    });
  });

  it('that talk without end are ended', async () => {
    const client = connect();
    await once(client, 'open');
    const ended = once(client, 'close');
    for (let said = 0; said <= 600; said++) client.ping();
    await ended;
  });
});

describe('a client that does not read', () => {
  /** A socket of whose frames none is taken by the network. */
  const stuck = () => {
    const told = { bytes: 0, frames: 0, closed: [] as number[] };
    const flush = Promise.withResolvers<void>();
    const principal = PRINCIPALS['auditor'];
    if (!principal) throw new Error('no auditor');
    const session = createSession({
      principal,
      hub,
      logger,
      socket: {
        send: (frame) => {
          told.bytes += frame.length;
          told.frames += 1;
        },
        bufferedBytes: () => told.bytes,
        flushed: () => flush.promise,
        close: (code) => told.closed.push(code),
      },
    });
    return { session, told };
  };

  it('is closed at a bounded queue whatever is said to it, answers and errors included', () => {
    const { session, told } = stuck();
    for (let n = 0; n < 200_000 && told.closed.length === 0; n++) session.receive('{"action":"ping"}');
    expect(told.closed).toEqual([SLOW_CONSUMER]);
    const { bytes } = told;
    session.receive('{');
    expect(told.bytes).toBe(bytes);
    expect(bytes).toBeLessThan(MAX_BUFFERED_BYTES + 1_000);
  });

  it('holds no page of the log while it is waited for, and no more replays than a few', async () => {
    const events = Array.from({ length: 50 }, (_, n) =>
      newEvent({ type: 'job.result-received', filler: `${n}`.padEnd(50_000) } as DomainEvent, {
        occurredAt: '2026-01-01T00:00:00.000Z',
        actor: 'engine',
        correlationId: 'job-1',
        causationId: 'test',
        traceparent: null,
      }),
    );
    await store.append({ stream: 'job-1', expectedRevision: NO_STREAM, events });
    const stop = new AbortController();
    const following = hub.run(stop.signal);
    await vi.waitFor(() => expect(hub.position()).toBe(50n));
    const { session, told } = stuck();
    for (let n = 0; n < 20; n++) session.receive('{"action":"subscribe","topics":["job_status"],"from":"0"}');
    await vi.waitFor(() => expect(told.bytes).toBeGreaterThan(50_000));
    expect(told.closed).toEqual([]);
    expect(told.bytes).toBeLessThan(3 * 50_000);
    session.end();
    stop.abort();
    await following;
  });
});
