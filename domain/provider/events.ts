import type { Platform, PlatformLabel } from '../enclave/events.ts';
import type { Micro } from '../money.ts';
import type { InfrastructureType } from '../tiers.ts';
import type { PaidWork } from './paid-work.ts';

export interface ProviderRegistered {
  readonly type: 'provider.registered';
  readonly machineVersion: number;
  readonly providerId: string;
  readonly owner: string;
  readonly infrastructureType: InfrastructureType;
  readonly asn: number;
  readonly region: string;
  readonly tops: number;
  /** Hex Ed25519 key: the node's identity, its libp2p peer id and the key of its challenges. */
  readonly publicKey: string;
  readonly registeredAt: string;
}

/** The host platform proved what it is; only then is the provider listed. */
export interface ProviderAttested {
  readonly type: 'provider.attested';
  readonly platform: Platform;
  readonly label: PlatformLabel;
  readonly reportHash: string;
  /** Stream of the chip that signed the report; absent before chips were bound. */
  readonly chip?: string;
  readonly nonce: string;
  readonly attestedAt: string;
  readonly expiresAt: string;
}

/** Schema version 2; version 1 had no `at` (upcasters.ts). */
export interface StakeLocked {
  readonly type: 'provider.stake-locked';
  readonly amount: Micro;
  readonly at: string;
}

/** A part of the stake is on its way back: it may be withdrawn from `releasesAt` on. */
export interface StakeUnbonding {
  readonly type: 'provider.stake-unbonding';
  readonly amount: Micro;
  readonly releasesAt: string;
  readonly at: string;
}

/** What had unbonded by `at` went back to the owner. */
export interface StakeWithdrawn {
  readonly type: 'provider.stake-withdrawn';
  readonly amount: Micro;
  readonly at: string;
}

/** A fraud took the whole stake, what unbonds included (settled 39, 42). */
export interface StakeSlashed {
  readonly type: 'provider.stake-slashed';
  readonly amount: Micro;
  /** The evidence that shows the fraud. */
  readonly evidenceId: string;
  /** Principals that get a part of it; the rest stays with the slashed money. */
  readonly shares: readonly { readonly principal: string; readonly amount: Micro }[];
  readonly at: string;
}

/** The owner of a barred provider posted a bond: it stands for the provider until its record speaks for itself. */
export interface BondPosted {
  readonly type: 'provider.bond-posted';
  readonly amount: Micro;
  readonly at: string;
}

/** The bond stands behind what the provider is about to win in this auction, and behind nothing else meanwhile. */
export interface ChanceTaken {
  readonly type: 'provider.chance-taken';
  readonly auctionId: string;
  readonly at: string;
}

/** The bond went back to the owner: deliveries have lifted the bar, or it was withdrawn. */
export interface BondReturned {
  readonly type: 'provider.bond-returned';
  readonly amount: Micro;
  readonly because: 'delivered' | 'withdrawn';
  readonly at: string;
}

/** A new fault in what was won under the bond took it, shared as a slashed stake (settled 39). */
export interface BondForfeited {
  readonly type: 'provider.bond-forfeited';
  readonly amount: Micro;
  readonly evidenceId: string;
  readonly shares: StakeSlashed['shares'];
  readonly at: string;
}

/** The node showed that it holds a VRF key; draws of later epochs use it. */
export interface VrfKeyRegistered {
  readonly type: 'provider.vrf-key-registered';
  /** Hex ECVRF key (edwards25519), not the node's identity. */
  readonly vrfKey: string;
  /** Hex proof of possession. */
  readonly proof: string;
  /** The network the node was seen in: its IPv4 /16 or IPv6 /32. */
  readonly addressPrefix: string;
  readonly at: string;
}

/** Up, suspect and lost are events; single heartbeats are rows of a table (settled 15). */
export interface ProviderSeen {
  readonly type: 'provider.up' | 'provider.suspected' | 'provider.lost';
  readonly at: string;
  readonly missedHeartbeats: number;
}

export const EVIDENCE_REASONS = [
  'completed',
  'deviation',
  'declared',
  'attestation',
  'refusal',
  'no-show',
  'lost',
] as const;
export type EvidenceReason = (typeof EVIDENCE_REASONS)[number];

/** Verified evidence only: a positive item cites a proof, a negative one the event that showed the fault. */
export interface EvidenceRecorded {
  readonly type: 'provider.evidence-recorded';
  /** Proof id or event id; one item counts once. */
  readonly evidenceId: string;
  readonly reason: EvidenceReason;
  /** Who pays for the work, and what was promised for it. Absent before evidence was weighted by it. */
  readonly work?: PaidWork;
  readonly positive: number;
  readonly negative: number;
  readonly at: string;
}

/** A flag was raised or cleared by the evidence before it (strictly u > 0.2; E < 0.5 is low). */
export interface TrustFlagged {
  readonly type:
    | 'provider.trust-uncertain'
    | 'provider.trust-low'
    | 'provider.trust-certain'
    | 'provider.trust-recovered';
  readonly mean: number;
  readonly uncertainty: number;
}

export type ProviderEvent =
  | ProviderRegistered
  | ProviderAttested
  | StakeLocked
  | StakeUnbonding
  | StakeWithdrawn
  | StakeSlashed
  | BondPosted
  | ChanceTaken
  | BondReturned
  | BondForfeited
  | VrfKeyRegistered
  | ProviderSeen
  | EvidenceRecorded
  | TrustFlagged;
