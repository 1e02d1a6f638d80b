import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createPool } from './pool.ts';

/** One message of PostgreSQL's protocol: type, length, body (PostgreSQL manual, “Message Formats”). */
const message = (type: string, body: Buffer): Buffer => {
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length + 4);
  return Buffer.concat([Buffer.from(type), length, body]);
};

const WELCOME = Buffer.concat([message('R', Buffer.alloc(4)), message('Z', Buffer.from('I'))]);
const SHUTDOWN = message('E', Buffer.from('SFATAL\0C57P01\0Mterminating connection\0\0'));

let server: Server;
let url: string;
beforeEach(async () => {
  // TCP may bring the welcome and what follows it as one piece, but cannot be made to: so this writes one.
  server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.once('data', () => socket.write(Buffer.concat([WELCOME, SHUTDOWN])));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `postgres://nobody@127.0.0.1:${(server.address() as AddressInfo).port}/none`;
});
afterEach(() => {
  server.close();
});

it('a connection that the server ends while it is handed over ends its next query, not the process', async () => {
  const pool = createPool(url, { name: 'test', max: 1 });
  const client = await pool.connect();
  await expect(client.query('select 1')).rejects.toThrow(/not queryable/);
  client.release(true);
  await pool.end();
});
