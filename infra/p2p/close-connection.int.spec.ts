import { expect, test, vi } from 'vitest';
import { closeConnection } from './close-connection.ts';
import { createPeer } from './peer.ts';

const peerFrom = (byte: number) =>
  createPeer({ seed: new Uint8Array(32).fill(byte), listen: ['/ip4/127.0.0.1/tcp/0'] });

test('closes what the other end closes at the same moment, without a rejection', async () => {
  const [near, far] = await Promise.all([peerFrom(1), peerFrom(2)]);
  try {
    for (let round = 0; round < 3; round++) {
      const connection = await near.libp2p.dial(far.libp2p.getMultiaddrs());
      const [other] = await vi.waitUntil(() => {
        const found = far.libp2p.getConnections(near.libp2p.peerId);
        return found.length > 0 && found;
      });
      const ends = [closeConnection(connection), closeConnection(other as typeof connection)];
      other?.abort(new Error('gone'));
      await expect(Promise.all(ends)).resolves.toEqual([undefined, undefined]);
      expect(connection.status).not.toBe('open');
    }
  } finally {
    await Promise.all([near.stop(), far.stop()]);
  }
});
