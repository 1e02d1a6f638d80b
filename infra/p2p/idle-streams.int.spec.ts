import { randomBytes } from 'node:crypto';
import type { Connection } from '@libp2p/interface';
import { multiaddr } from '@multiformats/multiaddr';
import { afterEach, expect, it } from 'vitest';
import { keepIdle, MOST_IDLE_MS, takeIdle } from './idle-streams.ts';
import { createPeer, type Peer } from './peer.ts';

const PROTOCOL = '/aivillage/idle/1.0.0';
const peers: Peer[] = [];

/** A connection whose other end says `words` on each stream and then closes its half. */
const connect = async (words: Uint8Array | null): Promise<Connection> => {
  const [server, client] = (await Promise.all(
    [['/ip4/127.0.0.1/tcp/0'], []].map((listen) => createPeer({ seed: randomBytes(32), listen })),
  )) as [Peer, Peer];
  peers.push(server, client);
  await server.libp2p.handle(PROTOCOL, (stream) => {
    if (!words) return;
    stream.send(words);
    void stream.close();
  });
  return client.libp2p.dial(multiaddr(server.addresses()[0]));
};

afterEach(async () => {
  await Promise.all(peers.splice(0).map((peer) => peer.stop()));
});

it('keeps a stream for the next request for a while, the one used last first', async () => {
  const connection = await connect(null);
  const [first, second] = [await connection.newStream(PROTOCOL), await connection.newStream(PROTOCOL)];
  keepIdle(connection, PROTOCOL, first, 0);
  keepIdle(connection, PROTOCOL, second, MOST_IDLE_MS);
  expect(takeIdle(connection, '/aivillage/other/1.0.0', MOST_IDLE_MS)).toBeNull();
  expect(takeIdle(connection, PROTOCOL, MOST_IDLE_MS)?.id).toBe(second.id);
  expect(takeIdle(connection, PROTOCOL, MOST_IDLE_MS)).toBeNull();
  expect(first.writeStatus).not.toBe('writable');
});

it('keeps none that the other end closes, or has spoken on unasked', async () => {
  const connection = await connect(Uint8Array.of(1));
  const stream = await connection.newStream(PROTOCOL);
  keepIdle(connection, PROTOCOL, stream, 0);
  await expect.poll(() => stream.remoteWriteStatus).toBe('closed');
  expect(takeIdle(connection, PROTOCOL, 0)).toBeNull();
  await expect.poll(() => stream.writeStatus).toBe('closed');
});
