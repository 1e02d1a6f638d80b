import { generateKeyPairFromSeed } from '@libp2p/crypto/keys';
import { identify } from '@libp2p/identify';
import type { Connection, Libp2p, Logger, PeerId, Peer as PeerRecord } from '@libp2p/interface';
import { noise } from '@libp2p/noise';
import { peerIdFromPrivateKey } from '@libp2p/peer-id';
import { ping } from '@libp2p/ping';
import { tcp } from '@libp2p/tcp';
import { yamux } from '@libp2p/yamux';
import { createLibp2p } from 'libp2p';

export interface PeerOptions {
  /** 32-byte Ed25519 seed: the identity that Noise proves to the other end. */
  readonly seed: Uint8Array;
  /** Multiaddrs to listen on; none for a peer that only dials. */
  readonly listen?: readonly string[];
  /** Most open connections; default 1,000. */
  readonly maxConnections?: number;
}

export interface Peer {
  readonly libp2p: Libp2p;
  /** Lower-case hex Ed25519 public key. */
  readonly publicKey: string;
  readonly peerId: string;
  /** Addresses under which others reach this peer, each ending in `/p2p/<peer id>`. */
  addresses(): readonly string[];
  stop(): Promise<void>;
}

const ignore = (): undefined => undefined;
/** By itself libp2p makes three loggers for each stream, which look whether the terminal has colours, and say nothing. */
const SILENT: Logger = Object.assign(ignore, {
  enabled: false,
  error: ignore,
  trace: ignore,
  newScope: (): Logger => SILENT,
});

/**
 * Each stream tells the peer store of its protocol, which then reads and compares all it has of the peer: a third of what a
 * stream costs, for what nobody here asks the store. It is told once of each protocol of a connection.
 */
const tellOnce = (libp2p: Libp2p): void => {
  const { peerStore } = libp2p;
  const merge = peerStore.merge.bind(peerStore);
  // By the object that a connection has for its other end: gone with it.
  const told = new WeakMap<PeerId, Map<string, Promise<PeerRecord>>>();
  peerStore.merge = (peer, data, options) => {
    const [protocol, ...more] = data.protocols ?? [];
    if (protocol === undefined || more.length > 0 || Object.keys(data).length > 1)
      return merge(peer, data, options);
    const known = told.get(peer) ?? new Map<string, Promise<PeerRecord>>();
    told.set(peer, known);
    const telling = known.get(protocol) ?? merge(peer, data);
    known.set(protocol, telling);
    telling.catch(() => known.delete(protocol));
    return telling;
  };
};

/** A started libp2p 3 peer over TCP, Noise and Yamux. Rejects when it cannot listen. */
export const createPeer = async (options: PeerOptions): Promise<Peer> => {
  const privateKey = await generateKeyPairFromSeed('Ed25519', options.seed);
  const libp2p = await createLibp2p({
    privateKey,
    logger: { forComponent: () => SILENT },
    addresses: { listen: [...(options.listen ?? [])] },
    transports: [
      tcp({ dialOpts: { noDelay: true, keepAlive: true }, listenOpts: { noDelay: true, keepAlive: true } }),
    ],
    connectionEncrypters: [noise()],
    // The dialling end may open streams before the listening end has finished its upgrade.
    streamMuxers: [yamux({ maxEarlyStreams: 256 })],
    services: { identify: identify(), ping: ping() },
    nodeInfo: { name: 'aivillage', userAgent: 'aivillage' },
    connectionManager: {
      maxConnections: options.maxConnections ?? 1000,
      // Nodes behind one NAT share an address; the defaults (5 a second, 10 pending) would reset them.
      inboundConnectionThreshold: 1000,
      maxIncomingPendingConnections: 200,
    },
    // Its pings abort a healthy connection of a busy host; heartbeats with their own patience do this job.
    connectionMonitor: { enabled: false },
  });
  tellOnce(libp2p);
  return {
    libp2p,
    publicKey: Buffer.from(privateKey.publicKey.raw).toString('hex'),
    peerId: libp2p.peerId.toString(),
    addresses: () => libp2p.getMultiaddrs().map(String),
    stop: async () => {
      await libp2p.stop();
    },
  };
};

/** The peer id that belongs to a seed: the last part of the multiaddr nodes dial. */
export const peerIdOf = async (seed: Uint8Array): Promise<string> =>
  peerIdFromPrivateKey(await generateKeyPairFromSeed('Ed25519', seed)).toString();

/** Hex Ed25519 key of the other end, as the Noise handshake proved it; null for another kind of key. */
export const remotePublicKey = (connection: Pick<Connection, 'remotePeer'>): string | null => {
  const { remotePeer } = connection;
  return remotePeer.type === 'Ed25519' ? Buffer.from(remotePeer.publicKey.raw).toString('hex') : null;
};
