import type { Platform, PlatformLabel } from '../../domain/enclave/events.ts';
import type { Micro } from '../../domain/money.ts';
import type { Unbonding } from '../../domain/provider/stake.ts';
import type { InfrastructureType } from '../../domain/tiers.ts';
import type { Table } from '../table.ts';

/** What a provider's host has proven; a newer attestation of the same platform replaces the older. */
export interface HostAttestation {
  readonly platform: Platform;
  readonly label: PlatformLabel;
  readonly reportHash: string;
  readonly attestedAt: string;
  readonly expiresAt: string;
}

export interface ProviderRow {
  readonly providerId: string;
  readonly owner: string;
  readonly infrastructureType: InfrastructureType;
  readonly asn: number;
  readonly region: string;
  readonly tops: number;
  /** Hex Ed25519 key of the node. */
  readonly publicKey: string;
  /** Listed once its host is attested; only then may it bid. */
  readonly state: 'registered' | 'listed';
  /** Label of the newest attestation. */
  readonly label: PlatformLabel | null;
  readonly attestations: readonly HostAttestation[];
  readonly stake: Micro;
  /** When stake was locked last; null before. */
  readonly stakedAt: string | null;
  /** The parts of it that are on their way back. */
  readonly unbonding: readonly Unbonding[];
  /** What stands for it while it is barred; zero where nothing does. */
  readonly bond: Micro;
  readonly bondsForfeited: number;
  /** Last logged transition of its heartbeats; null before the first. */
  readonly presence: 'up' | 'suspected' | 'lost' | null;
  readonly presenceAt: string | null;
  readonly registeredAt: string;
  readonly position: string;
}

export const providersTable: Table<ProviderRow> = {
  name: 'providers',
  key: ['providerId'],
  columns: {
    providerId: 'text',
    owner: 'text',
    infrastructureType: 'text',
    asn: 'long',
    region: 'text',
    tops: 'real',
    publicKey: 'text',
    state: 'text',
    label: 'text',
    attestations: 'json',
    stake: 'amount',
    stakedAt: 'instant',
    unbonding: 'json',
    bond: 'amount',
    bondsForfeited: 'integer',
    presence: 'text',
    presenceAt: 'instant',
    registeredAt: 'instant',
    position: 'position',
  },
  indexes: [['owner'], ['publicKey']],
};
