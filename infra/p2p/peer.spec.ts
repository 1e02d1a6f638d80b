import { randomBytes } from 'node:crypto';
import { peerIdFromString } from '@libp2p/peer-id';
import { afterEach, expect, test } from 'vitest';
import { createPeer, type Peer, peerIdOf } from './peer.ts';

let peer: Peer;
afterEach(() => peer.stop());

test('the peer store is told once of a protocol of a connection', async () => {
  peer = await createPeer({ seed: randomBytes(32) });
  const { peerStore } = peer.libp2p;
  const text = await peerIdOf(randomBytes(32));
  const [one, another] = [peerIdFromString(text), peerIdFromString(text)];
  const protocols = async () => ((await peerStore.has(one)) ? (await peerStore.get(one)).protocols : null);

  await peerStore.merge(one, { protocols: ['/a'] });
  expect(await protocols()).toEqual(['/a']);
  await peerStore.delete(one);
  await peerStore.merge(one, { protocols: ['/a'] });
  expect(await protocols()).toBeNull();
  await peerStore.merge(one, { protocols: ['/b'] });
  expect(await protocols()).toEqual(['/b']);
  // The next connection to it.
  await peerStore.merge(another, { protocols: ['/a'] });
  expect(await protocols()).toEqual(['/a', '/b']);
  // What says more than that is always heard.
  await peerStore.merge(one, { protocols: ['/a'], tags: { known: {} } });
  expect((await peerStore.get(one)).tags.has('known')).toBe(true);
});
