import { z } from 'zod';
import { requiredBond } from '../../../domain/provider/bond.ts';
import { requiredStake, type Unbonding } from '../../../domain/provider/stake.ts';
import type { ProviderRow } from '../../../projections/providers/table.ts';
import { micro } from '../../fields.ts';

/** Belief in a provider from verified evidence alone (D4): Beta(α, β) and the uncertainty 2 ÷ (r + s + 2). */
export const trustSchema = z.object({ alpha: z.number(), beta: z.number(), uncertainty: z.number() });

export interface EvidenceSums {
  readonly positive: number;
  readonly negative: number;
}

export const trustOf = ({ positive, negative }: EvidenceSums): z.input<typeof trustSchema> => ({
  alpha: positive + 1,
  beta: negative + 1,
  uncertainty: 2 / (positive + negative + 2),
});

/** Parts of the stake that stand behind no bid any more, and from when on they may be withdrawn. */
export const unbondingSchema = z.array(z.object({ amount: micro, releases_at: z.string() }));

export const shownUnbonding = (parts: readonly Unbonding[]): z.input<typeof unbondingSchema> =>
  parts.map(({ amount, releasesAt }) => ({ amount, releases_at: releasesAt }));

export const providerSchema = z
  .object({
    provider_id: z.string(),
    owner: z.string(),
    state: z.string(),
    infrastructure_type: z.string(),
    asn: z.int(),
    region: z.string(),
    tops: z.number(),
    label: z.enum(['hardware', 'simulated']).nullable(),
    presence: z.string().nullable(),
    stake: micro,
    unbonding: unbondingSchema,
    required_stake: micro.describe('what bidding takes'),
    bond: micro.describe('what stands for it while it is barred'),
    required_bond: micro.describe('what a bond takes: twice as much for each one that was forfeited'),
    staked_at: z.string().nullable().describe('when stake was locked last'),
    trust: trustSchema,
    position: z.string(),
  })
  .meta({ id: 'Provider' });

export const shownProvider = (
  provider: ProviderRow,
  evidence: EvidenceSums,
  tRef: number,
): z.input<typeof providerSchema> => ({
  provider_id: provider.providerId,
  owner: provider.owner,
  state: provider.state,
  infrastructure_type: provider.infrastructureType,
  asn: provider.asn,
  region: provider.region,
  tops: provider.tops,
  label: provider.label,
  presence: provider.presence,
  stake: provider.stake,
  unbonding: shownUnbonding(provider.unbonding),
  required_stake: requiredStake(provider.tops, tRef),
  bond: provider.bond,
  required_bond: requiredBond(provider.tops, provider, tRef),
  staked_at: provider.stakedAt,
  trust: trustOf(evidence),
  position: provider.position,
});
