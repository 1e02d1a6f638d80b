import type { Connection } from '@libp2p/interface';
import { type Rejection, reject } from '../../domain/errors.ts';
import type { MeshRefusal, NodeReplies, NodeRequest } from '../../domain/mesh/messages.ts';
import { refusalOf } from '../p2p/rpc.ts';
import { attestHost, type TeePlatform } from '../tee/index.ts';
import type { Bidder } from './bidder.ts';
import type { EnclaveService } from './enclave-service.ts';
import type { NeighbourDraws } from './neighbour-draws.ts';
import type { Observing } from './observing/observing.ts';

export interface AnswerDeps {
  /** Peer ids of the engines this node works for. */
  readonly enginePeerIds: ReadonlySet<string>;
  readonly platforms: readonly TeePlatform[];
  /** Hex Ed25519 key of the node. */
  readonly publicKey: string;
  readonly bidder: Bidder;
  readonly enclaves: EnclaveService;
  readonly draws: NeighbourDraws;
  readonly observing: Observing;
  /** A draw was asked for: an epoch has begun. */
  readonly drawn: () => void;
}

type AnyReply = NodeReplies[keyof NodeReplies];

/** Answers requests of the node's own engines, and of nobody else. */
export const createAnswer = (deps: AnswerDeps) => {
  const { enginePeerIds, platforms, publicKey, bidder, enclaves, draws, observing, drawn } = deps;

  const platformNamed = (name: string): TeePlatform | null =>
    platforms.find((platform) => platform.name === name) ?? null;
  const unsupported = (name: string): Rejection =>
    reject('UNSUPPORTED_PLATFORM', `this node has no ${name}`, [
      { field: 'platform', rule: `one of ${platforms.map((platform) => platform.name).join(', ')}` },
    ]);

  const answer = async (request: NodeRequest): Promise<AnyReply | Rejection> => {
    switch (request.type) {
      case 'auction-opened':
        bidder.opened(request.auction);
        return { type: 'noted' };
      case 'auction-ended':
        bidder.ended(request.auctionId, request);
        return { type: 'noted' };
      case 'stand-in':
        return bidder.standIn(request);
      case 'confirm-bid':
        return {
          type: 'bid-confirmed',
          hasRoom: bidder.confirm(request.auctionId, {
            tops: request.tops,
            memoryMb: request.memoryMb ?? 0,
          }),
        };
      case 'attest-host': {
        const platform = platformNamed(request.platform);
        if (!platform) return unsupported(request.platform);
        const evidence = await attestHost(platform, request.nonce, publicKey);
        return { type: 'attestation', evidence, enclaveKey: publicKey };
      }
      case 'create-enclave':
        return platformNamed(request.platform) ? enclaves.create(request) : unsupported(request.platform);
      case 'attest-enclave':
        return enclaves.attest(request);
      case 'run-enclave':
        return enclaves.run(request);
      case 'destroy-enclave':
        return enclaves.destroy(request.enclaveId);
      case 'draw-neighbours':
        drawn();
        return draws.draw(request);
      case 'be-observed':
        return observing.expect(request.terms);
      case 'observe':
        return observing.observe(request);
    }
  };

  return async (request: NodeRequest, connection: Connection): Promise<AnyReply | MeshRefusal> => {
    if (!enginePeerIds.has(connection.remotePeer.toString())) {
      return refusalOf(reject('AUTHORIZATION_FAILED', 'this node works for other engines'));
    }
    const reply = await answer(request);
    return 'ok' in reply ? refusalOf(reply) : reply;
  };
};
