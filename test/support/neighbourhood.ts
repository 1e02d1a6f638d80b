import { ed25519 } from '@noble/curves/ed25519.js';
import { sha512 } from '@noble/hashes/sha2.js';
import { concatBytes } from '@noble/hashes/utils.js';
import { expect, vi } from 'vitest';
import { type Answer, answerStatement, type Challenge } from '../../domain/proof/availability-record.ts';
import { hashOfJson } from '../../domain/proof/commit.ts';
import type { KeptArtifacts } from '../../infra/node/kept-artifacts.ts';
import type { NodeLogger } from '../../infra/node/logger.ts';
import {
  createMember,
  type PlayedMember,
  setOf,
  toldTo,
} from '../../infra/node/neighbours/neighbours.fixture.ts';
import {
  keepNeighbours,
  type NeighbourDeps,
  type Neighbours,
} from '../../infra/node/neighbours/neighbours.ts';
import { createObserving, type Observing } from '../../infra/node/observing/observing.ts';

export interface ObservingNode {
  readonly member: PlayedMember;
  readonly observing: Observing;
  readonly neighbours: Neighbours;
}

type OpenChunks = NeighbourDeps['openChunks'];

export interface Scene {
  readonly nodes: readonly [ObservingNode, ObservingNode, ObservingNode];
  stop(): Promise<void>;
}

export interface SceneOptions {
  readonly nowMs: () => number;
  /** How often the nodes have paused so far; never by default. Time passes for them as `nowMs` says. */
  readonly pauses?: () => number;
  /** What each node keeps, by its place. */
  readonly kept: (place: number) => Pick<KeptArtifacts, 'read'>;
  /** How the first node opens chunks; honestly by default. */
  readonly opens?: (honest: OpenChunks, seed: Uint8Array) => OpenChunks;
}

const EPOCH = 7;
const log: NodeLogger = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** Three nodes, played by peers, that are connected as neighbours. */
export const neighbourhood = async ({
  nowMs,
  pauses = () => 0,
  kept,
  opens,
}: SceneOptions): Promise<Scene> => {
  const members = [await createMember(), await createMember(), await createMember()];
  const set = setOf(members, 2);
  const nodes = await Promise.all(
    members.map(async (member, place): Promise<ObservingNode> => {
      const observing = createObserving({
        seed: member.seed,
        publicKey: member.peer.publicKey,
        kept: kept(place),
        connectionTo: (nodeId) => neighbours.connectionTo(nodeId),
        nowMs,
        clock: { now: nowMs, pauses },
      });
      const neighbours = await keepNeighbours({
        peer: member.peer,
        engines: { ask: () => Promise.resolve(toldTo(set, member, members, [EPOCH]) as never) },
        enginePeerIds: new Set(),
        nodeId: () => member.nodeId,
        openChunks: place === 0 && opens ? opens(observing.open, member.seed) : observing.open,
        nowMs: Date.now,
        log,
      });
      return { member, observing, neighbours };
    }),
  );
  await vi.waitFor(
    () => expect(nodes.map(({ neighbours }) => neighbours.connected().length)).toEqual([2, 2, 2]),
    { timeout: 15_000 },
  );
  return {
    nodes: nodes as unknown as Scene['nodes'],
    async stop() {
      await Promise.all(nodes.map(({ neighbours }) => neighbours.stop()));
      await Promise.all(members.map(({ peer }) => peer.stop()));
    },
  };
};

/** The same openings under another valid signature: Ed25519 with a nonce of one's own. */
const signedAnew = (seed: Uint8Array, { openings }: Answer, challenge: Challenge): Answer => {
  const { Point } = ed25519;
  const order = Point.Fn.ORDER;
  const scalarOf = (bytes: Uint8Array): bigint =>
    bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n) % order;
  const { scalar, pointBytes } = ed25519.utils.getExtendedPublicKey(seed);
  const message = answerStatement(challenge, openings);
  const nonce = 123_456_789n;
  const commitment = Point.BASE.multiply(nonce).toBytes();
  const hash = scalarOf(sha512(concatBytes(commitment, pointBytes, message)));
  let response = (nonce + hash * scalar) % order;
  const bytes = new Uint8Array(32);
  for (let index = 0; index < 32; index++, response >>= 8n) bytes[index] = Number(response & 255n);
  return { openings, signature: Buffer.from(concatBytes(commitment, bytes)).toString('base64url') };
};

/** Gives each observer after the first another answer than the first, and signs them all. */
export const equivocating: NonNullable<SceneOptions['opens']> = (honest, seed) => {
  let first: string | null = null;
  return async (request, observer) => {
    const opened = await honest(request, observer);
    first ??= observer;
    if ('ok' in opened || observer === first) return opened;
    const challenge = { terms: hashOfJson(request.terms), round: request.round, beacon: request.beacon };
    return { ...opened, answer: signedAnew(seed, opened.answer, challenge) };
  };
};
