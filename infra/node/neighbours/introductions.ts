import type { Connection } from '@libp2p/interface';
import { ok, type Result, reject } from '../../../domain/errors.ts';
import {
  type MeshRefusal,
  type PeerReplies,
  type PeerRequest,
  PROTOCOLS,
} from '../../../domain/mesh/messages.ts';
import { peerReplySchemas } from '../../../domain/mesh/schema.ts';
import { providerIdOf } from '../../../domain/provider/provider-id.ts';
import type { SelectionJson } from '../../../domain/topology/selection-json.ts';
import { remotePublicKey } from '../../p2p/peer.ts';
import { callPeer, refusalOf } from '../../p2p/rpc.ts';
import type { NodeLogger } from '../logger.ts';
import type { Acquaintances } from './acquaintances.ts';
import { acceptPeer, type KnownEpochs } from './judge-draws.ts';

/** Two draws with their inclusion paths among 100,000 candidates take about 30 KiB. */
export const NEIGHBOUR_FRAME_BYTES = 64 * 1024;
const TIMEOUT_MS = 10_000;

type Introduction = Extract<PeerRequest, { type: 'introduce' }>;
type Shown = Pick<Introduction, 'epoch' | 'selections'>;

/** What this node knows of the epochs in force, with the selections that it shows. */
export interface Standing extends KnownEpochs {
  /** The node's own id; null before the first join. */
  readonly nodeId: string | null;
  readonly selections: readonly SelectionJson[];
}

export interface IntroductionDeps {
  readonly standing: () => Standing;
  readonly acquaintances: Acquaintances;
  readonly log: NodeLogger;
}

/** The node at the other end, by the key that Noise has proved; null for another kind of key. */
const nodeAt = (connection: Connection): string | null => {
  const key = remotePublicKey(connection);
  return key === null ? null : providerIdOf(key);
};

/** Both ends of an introduction: each shows its draws, and each judges the other's by itself. */
export const createIntroductions = ({ standing, acquaintances, log }: IntroductionDeps) => {
  /** What this node shows; before its first epoch it has nothing to show and takes nobody. */
  const shown = () => {
    const { epochs, selections } = standing();
    return { epoch: epochs[0]?.epoch ?? 0, selections };
  };

  const judge = (connection: Connection, { epoch, selections }: Shown): Result<string> => {
    const { nodeId: self, ...known } = standing();
    const peer = nodeAt(connection);
    if (peer === null) return reject('AUTHENTICATION_FAILED', 'a node is known by an Ed25519 key');
    if (self === null) return reject('RESOURCE_UNAVAILABLE', 'this node has not joined yet');
    const accepted = acceptPeer(self, peer, selections, known);
    if (!accepted.ok) return accepted;
    // Whoever knows less has passed over what it could not judge: the two have to meet again once it knows.
    acquaintances.add(peer, connection, accepted.value, Math.min(epoch, shown().epoch));
    return ok(peer);
  };

  return {
    /** Answers a node that has connected. A refusal ends the connection as soon as it is sent. */
    answer(introduction: Introduction, connection: Connection): PeerReplies['introduce'] | MeshRefusal {
      const judged = judge(connection, introduction);
      if (judged.ok) return { type: 'introduced', ...shown() };
      log.warn({ peer: nodeAt(connection), code: judged.code, reason: judged.message }, 'a node was refused');
      return refusalOf(judged);
    },

    /** Introduces this node to `nodeId` over a connection it has dialled. */
    async introduce(nodeId: string, connection: Connection, signal: AbortSignal): Promise<Result<string>> {
      if (nodeAt(connection) !== nodeId)
        return reject('AUTHENTICATION_FAILED', `another node answers at the address of ${nodeId}`);
      const request: Introduction = { type: 'introduce', ...shown() };
      const outcome = await callPeer(
        connection,
        PROTOCOLS.neighbourhood,
        request,
        peerReplySchemas.introduce,
        { timeoutMs: TIMEOUT_MS, signal, maxReplyBytes: NEIGHBOUR_FRAME_BYTES },
      );
      if (!outcome.ok) return reject('RESOURCE_UNAVAILABLE', `no introduction (${outcome.failure})`);
      const { reply } = outcome;
      return reply.type === 'refused'
        ? reject(reply.code, `it refused: ${reply.message}`)
        : judge(connection, reply);
    },
  };
};
