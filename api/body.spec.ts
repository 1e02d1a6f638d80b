import { once } from 'node:events';
import { createServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createByteBudget } from '../infra/p2p/byte-budget.ts';
import { BodyError, readBody, streamBody } from './body.ts';
import type { ApiContext } from './environment.ts';

const server = createServer();
let incoming: IncomingMessage;
/** Pieces in which the body came, as the connection made them. */
let made: Buffer[];

beforeEach(async () => {
  made = [];
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

/** The context of a request whose body is `bytes`, and the client's end of it. */
const asked = async (bytes: Uint8Array, length = bytes.length) => {
  const client = request({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', method: 'POST' });
  client.setHeader('Content-Length', length);
  client.on('error', () => undefined);
  client.write(bytes);
  [incoming] = (await once(server, 'request')) as [IncomingMessage];
  const push = incoming.push.bind(incoming);
  incoming.push = (piece, ...rest) => {
    if (piece) made.push(piece as Buffer);
    return push(piece, ...rest);
  };
  const context = { env: { incoming }, req: { header: (name: string) => incoming.headers[name] } };
  return { client, context: context as unknown as ApiContext };
};

const all = async (pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> => {
  const found: Uint8Array[] = [];
  for await (const piece of pieces) found.push(piece);
  return found;
};

it('a body comes in the memory that the connection read it into, and is whole', async () => {
  const sent = Buffer.alloc(300_000, 'x');
  const { context, client } = await asked(sent);
  client.end();
  const pieces = await all(streamBody(context, 300_000));
  expect(Buffer.concat(pieces).equals(sent)).toBe(true);
  const buffers = new Set(made.map(({ buffer }) => buffer));
  expect(made.length).toBeGreaterThan(1);
  expect(pieces.slice(1).every(({ buffer }) => buffers.has(buffer as ArrayBuffer))).toBe(true);
});

it('a body that was read leaves none of its pieces behind', async () => {
  const { context, client } = await asked(Buffer.alloc(300_000, 'x'));
  client.end();
  expect(await readBody(context, 300_000, createByteBudget(1_000_000))).toMatchObject({ ok: true });
  expect(made.length).toBeGreaterThan(1);
  expect(made.map(({ length }) => length)).toEqual(made.map(() => 0));
});

it('a body that goes on for too long leaves its connection to be answered', async () => {
  const { context, client } = await asked(Buffer.alloc(300_000, 'x'));
  client.end();
  await expect(all(streamBody(context, 100_000))).rejects.toMatchObject({ problem: { status: 413 } });
  expect(incoming.destroyed).toBe(false);
});

it('a body whose client goes away in the middle says so', async () => {
  const { context, client } = await asked(Buffer.alloc(1_000, 'x'), 2_000);
  const reading = all(streamBody(context, 2_000));
  client.destroy();
  await expect(reading).rejects.toThrow(BodyError);
});
