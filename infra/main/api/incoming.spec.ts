import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import WebSocket, { WebSocketServer } from 'ws';
import { boundIncoming } from './incoming.ts';

let server: WebSocketServer;
let client: WebSocket;
beforeEach(async () => {
  server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  boundIncoming(server, 4096);
  await once(server, 'listening');
  client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
  await once(client, 'open');
});
afterEach(() => {
  client.terminate();
  server.close();
});

test('who says nothing but pings and pongs holds nothing, however long it stays', async () => {
  for (let said = 0; said < 50; said++) {
    client.ping(said % 2 ? 'x' : '');
    await once(client, 'pong');
  }
  expect(client.readyState).toBe(client.OPEN);
});

test('pings in the middle of a message do not hide what came of it', async () => {
  const cut = once(client, 'close');
  for (let said = 0; said < 50; said++) {
    client.send('x'.repeat(200), { fin: false });
    client.ping();
  }
  await cut;
});
