import type { Rejection, Result } from '../../domain/errors.ts';
import type {
  AuctionAnnouncement,
  BidNews,
  EngineRequest,
  NeighbourhoodReply,
} from '../../domain/mesh/messages.ts';
import type { CommandAccepted } from '../../domain/ports/lifecycles.ts';
import type { AskNode } from './ask-node.ts';
import type { PresenceEventType } from './presence-monitor.ts';

export type JoinRequest = Extract<EngineRequest, { type: 'join' }>;
export type BidRequest = Extract<EngineRequest, { type: 'bid' }>;

/** Whose enclave an artefact is for, or comes from. */
export interface ArtifactRef {
  readonly sha256: string;
  readonly enclaveId: string;
}

/** What the engine does with what nodes say; given by the composition root. */
export interface EngineHandlers {
  /**
   * Registers or looks up the provider whose key Noise has proved and answers its id. `ask` reaches the joining node,
   * for its attestation; `addressPrefix` is the network it came from. A refusal closes nothing: the node may try again.
   */
  join(publicKey: string, join: JoinRequest, ask: AskNode, addressPrefix: string): Promise<Result<string>>;
  /** The bid's signature is already verified. */
  bid(
    providerId: string,
    bid: BidRequest,
  ): Promise<(CommandAccepted & { readonly bidId: string }) | Rejection>;
  /** What became of the provider's bid. */
  bidOutcome(providerId: string, auctionId: string): Promise<Result<BidNews>>;
  fetchArtifact(providerId: string, ref: ArtifactRef): Promise<Result<Uint8Array>>;
  /** `bytes` have the hash and the size that they claim. */
  storeOutput(providerId: string, ref: ArtifactRef, bytes: Uint8Array): Promise<Result<null>>;
  /** Auctions that take bids now, for a node that has just joined. */
  openAuctions(): Promise<readonly AuctionAnnouncement[]>;
  /** The draws in force that concern a node, and where those are whom it has drawn. */
  neighbourhood(providerId: string): Promise<NeighbourhoodReply>;
  /** Once per transition; (provider, type, lastSeen) identifies it. */
  providerSeen(
    providerId: string,
    type: PresenceEventType,
    missedHeartbeats: number,
    lastSeen: string,
  ): Promise<void>;
}
