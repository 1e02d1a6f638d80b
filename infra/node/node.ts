import { setTimeout as sleep } from 'node:timers/promises';
import { bytesToHex } from '@noble/hashes/utils.js';
import type { FuelRate } from '../../domain/mesh/fuel-rate.ts';
import { PROTOCOLS } from '../../domain/mesh/messages.ts';
import { nodeRequestSchema } from '../../domain/mesh/schema.ts';
import { instant } from '../../domain/time.ts';
import { nodeVrfKey, provePossession } from '../../domain/topology/node-key.ts';
import { createPauseDetector } from '../clock/pause-detector.ts';
import { createPeer } from '../p2p/peer.ts';
import { servePeer } from '../p2p/rpc.ts';
import type { EnclaveHost } from '../sandbox/index.ts';
import type { TeePlatform } from '../tee/index.ts';
import { createAnswer } from './answer-engine.ts';
import { createNodeArtifacts } from './artifacts.ts';
import { createBidder } from './bidder.ts';
import { createCapacityBook } from './capacity.ts';
import type { NodeConfig } from './config.ts';
import { createEnclaveService } from './enclave-service.ts';
import { type EngineLink, type JoinTerms, keepEngineLink } from './engine-link.ts';
import { createEngines } from './engines.ts';
import type { KeptArtifacts } from './kept-artifacts.ts';
import type { NodeLogger } from './logger.ts';
import { createNeighbourDraws } from './neighbour-draws.ts';
import { keepNeighbours } from './neighbours/neighbours.ts';
import { createObserving } from './observing/observing.ts';
import { keepOwnRate } from './own-rate.ts';

export interface NodeDeps {
  readonly config: NodeConfig;
  /** 32-byte Ed25519 seed: peer identity, bid signatures and provider key in one; the VRF key derives from it. */
  readonly seed: Uint8Array;
  readonly platforms: readonly TeePlatform[];
  readonly host: EnclaveHost;
  /** Measures how fast the machine runs modules. */
  readonly calibrate: () => Promise<FuelRate>;
  /** Artefacts of its jobs on its own disk. */
  readonly kept: KeptArtifacts;
  /** Milliseconds since 1970. */
  readonly nowMs: () => number;
  readonly log: NodeLogger;
}

export interface RunningNode {
  readonly publicKey: string;
  /** Destroys the enclaves and closes the connections. */
  stop(): Promise<void>;
}

/** Starts a node: a peer that dials its engines, joins them, beats, bids, runs enclaves and keeps to its neighbours. */
export const startNode = async (deps: NodeDeps): Promise<RunningNode> => {
  const { config, seed, platforms, host, calibrate, kept, nowMs, log } = deps;
  const { engines: addresses, costPolicy: policy } = config;
  const stopping = new AbortController();
  const { signal } = stopping;
  const peer = await createPeer({ seed, listen: config.listen });
  let providerId: string | null = null;
  const links: EngineLink[] = [];

  const engines = createEngines({ links: () => links, nowMs, signal });
  const capacity = createCapacityBook({ policy, node: config, nowMs });
  const ownRate = keepOwnRate({ measure: calibrate, nowMs, signal, log });
  const { bidDelayMs } = policy;
  const bidder = createBidder({
    policy,
    node: config,
    bidDelayMs,
    seed,
    capacity,
    fuelRate: ownRate.known,
    engines,
    nowMs,
    pause: (ms, stop) => sleep(ms, undefined, { signal: stop }),
    signal,
    log,
  });
  const artifacts = createNodeArtifacts(engines, kept, nowMs);
  const enclaves = createEnclaveService({
    host,
    artifacts,
    capacity,
    providerId: () => providerId,
    nowMs,
    log,
  });

  const clock = createPauseDetector();
  const drawKey = nodeVrfKey(seed);
  const draws = createNeighbourDraws(drawKey);
  const enginePeerIds = new Set(addresses.map(({ peerId }) => peerId));
  const observing = createObserving({
    seed,
    publicKey: peer.publicKey,
    kept,
    connectionTo: (id) => neighbours.connectionTo(id),
    nowMs,
    clock,
  });
  const neighbours = await keepNeighbours({
    peer,
    engines,
    enginePeerIds,
    nodeId: () => providerId,
    openChunks: observing.open,
    nowMs,
    log,
  });
  await servePeer(peer, PROTOCOLS.agentCommunication, {
    request: nodeRequestSchema,
    answer: createAnswer({
      enginePeerIds,
      platforms,
      publicKey: peer.publicKey,
      bidder,
      enclaves,
      draws,
      observing,
      drawn: neighbours.nudge,
    }),
    onError: (error) => log.error({ err: error }, 'a request failed'),
  });

  const { infrastructureType, asn, region, tops, stake } = config;
  const terms = (): JoinTerms => ({
    infrastructureType,
    asn,
    region,
    tops,
    platforms: platforms.map(({ name }) => name),
    stake,
    vrf: { publicKey: bytesToHex(drawKey.publicKey), proof: provePossession(drawKey, peer.publicKey) },
    addresses: peer.addresses(),
    capacity: { places: policy.maxConcurrent, memoryMb: config.memoryMb, rate: ownRate.newest() },
  });
  const keepLink = (address: string): EngineLink => {
    let joined = false;
    return keepEngineLink({
      peer,
      address,
      terms,
      now: () => instant(nowMs()),
      onJoined: (id) => {
        providerId = id;
        if (joined) void ownRate.renew();
        joined = true;
        neighbours.nudge();
      },
      neighbours: neighbours.connected,
      log,
    });
  };
  // Who has joined is told of auctions, some of which are over in a second.
  const joining = ownRate.renew().then(() => {
    if (!signal.aborted) links.push(...addresses.map(({ address }) => keepLink(address)));
  });

  return {
    publicKey: peer.publicKey,
    async stop() {
      stopping.abort();
      clock.stop();
      await neighbours.stop();
      await Promise.all(links.map((link) => link.stop()));
      await enclaves.close();
      await joining;
      await peer.stop();
    },
  };
};
