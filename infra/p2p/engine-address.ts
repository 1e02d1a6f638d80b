import { join } from 'node:path';
import { readOrMakeKeyFile } from '../keys/make-key-file.ts';
import { peerIdOf } from './peer.ts';

/** Key file of the peer of worker `index`: each has an identity of its own. */
export const peerKeyName = (index: number): string =>
  index === 0 ? 'engine-peer.key' : `engine-peer-${index}.key`;

/** Where a data directory keeps it. */
export const enginePeerKeyFile = (home: string, index: number): string =>
  join(home, 'keys', peerKeyName(index));

/** What nodes of this machine dial to reach worker `index`: its key is made where it has none yet. */
export const engineAddress = async (home: string, index: number, meshPort: number): Promise<string> => {
  const [seed] = await readOrMakeKeyFile(enginePeerKeyFile(home, index));
  return `/ip4/127.0.0.1/tcp/${meshPort}/p2p/${await peerIdOf(seed as Uint8Array)}`;
};
