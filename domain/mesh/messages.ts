import type { AuctionOpened } from '../auction/events.ts';
import type { BidOutcome } from '../auction/reservation.ts';
import type { EnclaveConfig, Platform, Reservation, WorkOrder } from '../enclave/events.ts';
import type { ErrorCode, FieldError } from '../errors.ts';
import type { Micro } from '../money.ts';
import type { Finding } from '../observation/evidence.ts';
import type { Answer, AvailabilityTerms, Beacon, Receipt } from '../proof/availability-record.ts';
import type { ExecutionProof } from '../proof/record.ts';
import type { ToldCapacity } from '../queue/told-capacity.ts';
import type { InfrastructureType } from '../tiers.ts';
import type { EpochFacts } from '../topology/commitment.ts';
import type { SelectionJson } from '../topology/selection-json.ts';

/** Protocol ids of the mesh: the guide's three (R99), what neighbours say to each other, and what workers do. */
export const PROTOCOLS = {
  resourceDiscovery: '/aivillage/resource-discovery/1.0.0',
  agentCommunication: '/aivillage/agent-communication/1.0.0',
  knowledgeSync: '/aivillage/knowledge-sync/1.0.0',
  neighbourhood: '/aivillage/neighbourhood/1.0.0',
  relay: '/aivillage/relay/1.0.0',
} as const;

/** A report as a node sends it: everything a stranger needs to verify it. Binary fields are base64url. */
export interface AttestationEvidence {
  readonly platform: Platform;
  readonly report: string;
  /** DER: the chip's certificate, then the chain up to the root. */
  readonly certificates: readonly string[];
  /** The report measures the host's image, which vouches for what it measured itself (`hostReportData`). */
  readonly binding?: 'host';
}

/** Engine → node, over agent-communication. Every request may come twice; nodes answer the second like the first. */
export type NodeRequest =
  | { readonly type: 'auction-opened'; readonly auction: AuctionAnnouncement }
  /** The capacity that the node's bid holds is free again, unless it won and an enclave follows (invariant 15). */
  | ({ readonly type: 'auction-ended'; readonly auctionId: string } & BidOutcome)
  /**
   * Comes the node in, where a member was lost, for an auction that its bid did not win? Saying no is free. Saying yes
   * books the capacity and binds it by the deposit, like a winner.
   */
  | {
      readonly type: 'stand-in';
      readonly auctionId: string;
      readonly tops: number;
      /** MiB. */
      readonly memoryMb?: number;
      readonly deposit: Micro;
      /** For all of the declared work. */
      readonly payment: Micro;
    }
  /** The auction has closed and the bid is about to win: is there still room for it? Yes holds it, no costs nothing. */
  | {
      readonly type: 'confirm-bid';
      readonly auctionId: string;
      readonly tops: number;
      readonly memoryMb?: number;
    }
  | {
      readonly type: 'create-enclave';
      readonly enclaveId: string;
      readonly platform: Platform;
      readonly codeHash: string;
      readonly config: EnclaveConfig;
      /** What the node booked for it; none for an enclave that no auction asked for. */
      readonly reservation?: Reservation;
      /** When the node may destroy it by itself, should the engine never come back to do so. */
      readonly expiresAt?: string;
    }
  | { readonly type: 'attest-enclave'; readonly enclaveId: string; readonly nonce: string }
  | { readonly type: 'attest-host'; readonly platform: Platform; readonly nonce: string }
  | {
      readonly type: 'run-enclave';
      readonly enclaveId: string;
      readonly jobId: string | null;
      readonly work: WorkOrder;
    }
  | { readonly type: 'destroy-enclave'; readonly enclaveId: string }
  | {
      /** The node draws its neighbours of an epoch; bytes in hex. Of each epoch it draws once. */
      readonly type: 'draw-neighbours';
      readonly network: string;
      readonly epoch: number;
      readonly beacon: string;
      readonly candidateRoot: string;
      readonly candidateCount: number;
    }
  /** Its neighbours will ask the node for chunks on these terms. */
  | { readonly type: 'be-observed'; readonly terms: AvailabilityTerms }
  | {
      /** The node asks a neighbour for the chunks of a round, and signs what comes of it. Of each round it asks once. */
      readonly type: 'observe';
      readonly terms: AvailabilityTerms;
      readonly round: number;
      readonly beacon: Beacon;
      /** Hash of the answer that the round rests on: an observer that was given another one was given none. */
      readonly agreed?: string;
    };

export type AuctionAnnouncement = Pick<
  AuctionOpened,
  | 'auctionId'
  | 'submitter'
  | 'tier'
  | 'requiredTops'
  | 'utilization'
  | 'durationSeconds'
  | 'tRef'
  | 'memoryMb'
  | 'winners'
  | 'ceiling'
  | 'closesAt'
>;

export interface NodeReplies {
  'auction-opened': { readonly type: 'noted' };
  'auction-ended': { readonly type: 'noted' };
  'stand-in': { readonly type: 'standing-in' };
  'confirm-bid': { readonly type: 'bid-confirmed'; readonly hasRoom: boolean };
  'create-enclave': { readonly type: 'enclave-created'; readonly enclaveKey: string };
  'attest-enclave': {
    readonly type: 'attestation';
    readonly evidence: AttestationEvidence;
    readonly enclaveKey: string;
  };
  'attest-host': {
    readonly type: 'attestation';
    readonly evidence: AttestationEvidence;
    readonly enclaveKey: string;
  };
  'run-enclave': { readonly type: 'run-finished'; readonly proof: ExecutionProof };
  'destroy-enclave': { readonly type: 'destroyed' };
  /** ECVRF output and proof, hex. */
  'draw-neighbours': { readonly type: 'neighbours-drawn'; readonly output: string; readonly proof: string };
  'be-observed': { readonly type: 'noted' };
  observe: {
    readonly type: 'observed';
    readonly receipt: Receipt;
    readonly answer: Answer | null;
    readonly finding: Finding;
  };
}

/** Most neighbours that a node tells of, or is told of: several times what the draws of two epochs come to. */
export const MOST_NEIGHBOURS = 256;

/** Node → engine. Discovery frames go over resource-discovery, the rest over agent-communication. */
export type EngineRequest =
  | {
      readonly type: 'join';
      /** RFC 3339; refused when more than 60 s away from the engine's clock. */
      readonly at: string;
      readonly infrastructureType: InfrastructureType;
      readonly asn: number;
      readonly region: string;
      readonly tops: number;
      readonly platforms: readonly Platform[];
      /** Stake to lock at the first join, micro-units. */
      readonly stake: Micro;
      /** The key of its draws with a proof of possession, hex. */
      readonly vrf?: { readonly publicKey: string; readonly proof: string };
      /** Where other nodes reach it: multiaddrs that end in its own peer id. */
      readonly addresses?: readonly string[];
      /** What it has for runs: by this the engine tells when to ask for bids. */
      readonly capacity?: ToldCapacity;
    }
  | {
      readonly type: 'heartbeat';
      readonly sequence: number;
      readonly at: string;
      /** Provider ids of the nodes it is connected to, at most `MOST_NEIGHBOURS`. */
      readonly neighbours?: readonly string[];
    }
  /** Which draws hold now, and where the nodes drawn are. */
  | { readonly type: 'neighbourhood' }
  | {
      readonly type: 'bid';
      readonly auctionId: string;
      readonly price: Micro;
      /** Base64url Ed25519 signature of the node key over `aivillage-bid-v1\n` ‖ canonical {auctionId, price}. */
      readonly signature: string;
    }
  /** What became of the node's bid: asked where no news of the close has come. */
  | { readonly type: 'bid-outcome'; readonly auctionId: string }
  | { readonly type: 'fetch-artifact'; readonly sha256: string; readonly enclaveId: string }
  | {
      readonly type: 'store-output';
      readonly sha256: string;
      readonly enclaveId: string;
      readonly bytes: string;
    };

export interface EngineReplies {
  join: { readonly type: 'joined'; readonly providerId: string; readonly heartbeatSeconds: number };
  heartbeat: { readonly type: 'seen' };
  neighbourhood: NeighbourhoodReply;
  bid: { readonly type: 'bid-placed'; readonly bidId: string; readonly position: string };
  'bid-outcome': BidNews;
  'fetch-artifact': { readonly type: 'artifact'; readonly bytes: string };
  'store-output': { readonly type: 'stored' };
}

/** An auction that takes bids, or that is over for the one who asks. */
export type BidNews =
  | { readonly type: 'still-open'; readonly closesAt: string }
  | ({ readonly type: 'bid-decided' } & BidOutcome);

/** An epoch in force, as the engine knows it; `selection` is the asking node's own draw, null where it has none. */
export interface EpochInForce extends EpochFacts {
  readonly selection: SelectionJson | null;
}

export interface NeighbourhoodReply {
  readonly type: 'neighbourhood';
  /** Newest first: the current epoch, and the one before it. */
  readonly epochs: readonly EpochInForce[];
  /** The nodes drawn that are within reach. */
  readonly contacts: readonly NeighbourContact[];
}

export interface NeighbourContact {
  readonly nodeId: string;
  readonly addresses: readonly string[];
}

/** Node → node, over neighbourhood. */
export type PeerRequest =
  /** Who connects shows its draws in force, and is shown those of the other end; `epoch` is the newest that it knows. */
  | { readonly type: 'introduce'; readonly epoch: number; readonly selections: readonly SelectionJson[] }
  /** An observer asks for the chunks that a round draws. */
  | {
      readonly type: 'open-chunks';
      readonly terms: AvailabilityTerms;
      readonly round: number;
      readonly beacon: Beacon;
    };

export interface PeerReplies {
  introduce: {
    readonly type: 'introduced';
    readonly epoch: number;
    readonly selections: readonly SelectionJson[];
  };
  'open-chunks': { readonly type: 'chunks-opened'; readonly answer: Answer };
}

/** Worker → worker, over relay: one that holds a node's connection asks it for one that does not. */
export interface RelayRequest {
  readonly type: 'relay';
  readonly providerId: string;
  readonly request: NodeRequest;
  /** How long the node may take, ms. */
  readonly timeoutMs: number;
}

export type RelayReply<R extends NodeRequest> =
  | { readonly type: 'relayed'; readonly reply: NodeReplies[R['type']] | MeshRefusal }
  | { readonly type: 'unreachable'; readonly message: string; readonly cause: 'node' | 'engine' };

/** Any request may be refused instead. */
export interface MeshRefusal {
  readonly type: 'refused';
  readonly code: ErrorCode;
  readonly message: string;
  readonly errors?: readonly FieldError[];
}
