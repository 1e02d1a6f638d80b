import { add, subtract, ZERO } from '../../domain/money.ts';
import type { ProviderEvent, ProviderSeen } from '../../domain/provider/events.ts';
import { stillUnbonding } from '../../domain/provider/stake.ts';
import { rowProjection } from '../row-model.ts';
import { type ProviderRow, providersTable } from './table.ts';

const seen =
  (presence: NonNullable<ProviderRow['presence']>) =>
  (_: ProviderRow, { at }: Pick<ProviderSeen, 'at'>) => ({ presence, presenceAt: at });

/** One row per provider: what it is, whether it is listed, its stake and bond and its last logged presence. */
export const providers = rowProjection<ProviderEvent, ProviderRow, 'provider.registered'>({
  name: 'providers',
  version: 4,
  table: providersTable,
  first: 'provider.registered',
  create: (registered) => ({
    providerId: registered.providerId,
    owner: registered.owner,
    infrastructureType: registered.infrastructureType,
    asn: registered.asn,
    region: registered.region,
    tops: registered.tops,
    publicKey: registered.publicKey,
    state: 'registered',
    label: null,
    attestations: [],
    stake: ZERO,
    stakedAt: null,
    unbonding: [],
    bond: ZERO,
    bondsForfeited: 0,
    presence: null,
    presenceAt: null,
    registeredAt: registered.registeredAt,
  }),
  on: {
    'provider.attested': (row, { platform, label, reportHash, attestedAt, expiresAt }) => ({
      state: 'listed',
      label,
      attestations: [
        ...row.attestations.filter((attestation) => attestation.platform !== platform),
        { platform, label, reportHash, attestedAt, expiresAt },
      ],
    }),
    'provider.stake-locked': (row, { amount, at }) => ({ stake: add(row.stake, amount), stakedAt: at }),
    'provider.stake-unbonding': (row, { amount, releasesAt }) => ({
      unbonding: [...row.unbonding, { amount, releasesAt }],
    }),
    'provider.stake-withdrawn': (row, { amount, at }) => ({
      stake: subtract(row.stake, amount),
      unbonding: stillUnbonding(row, at),
    }),
    'provider.stake-slashed': (row, { amount }) => ({ stake: subtract(row.stake, amount), unbonding: [] }),
    'provider.bond-posted': (_, { amount }) => ({ bond: amount }),
    'provider.bond-returned': () => ({ bond: ZERO }),
    'provider.bond-forfeited': (row) => ({ bond: ZERO, bondsForfeited: row.bondsForfeited + 1 }),
    'provider.up': seen('up'),
    'provider.suspected': seen('suspected'),
    'provider.lost': seen('lost'),
  },
});
