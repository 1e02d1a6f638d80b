import type { OpenedBid } from '../../domain/auction/events.ts';
import type { Provider } from '../../domain/provider/fold.ts';
import { admits } from '../../domain/provider/opinion.ts';
import { isBarred, type RiskEvidence, riskEvidence } from '../../domain/provider/risk.ts';
import { memberUnavailability } from '../../domain/provider/unavailability.ts';
import type { Providers } from './providers.ts';

/** What an award has to know of a bidder: where it stands, how well it is known, and what prices its risk. */
export interface MarketPlacement extends Omit<OpenedBid, 'bidId' | 'price' | 'surcharge'> {
  readonly evidence: RiskEvidence;
  /** Whether it is here as it is because a bond stands for it. */
  readonly underBond: boolean;
}

export interface ProviderMarket {
  /** By provider id, without those that are not listed or that the trust gate refuses. */
  placementsOf(providerIds: readonly string[]): Promise<ReadonlyMap<string, MarketPlacement>>;
}

const placementOf = (provider: Provider, now: string): MarketPlacement | null => {
  if (!provider.attestation) return null;
  const isBonded = provider.bond !== null;
  const admission = admits(provider.evidence, now, isBonded);
  if (!admission.admitted) return null;
  const { providerId, owner, infrastructureType, asn, region, reliability } = provider;
  return {
    providerId,
    owner,
    infrastructureType,
    asn,
    region,
    unavailability: memberUnavailability(infrastructureType, reliability),
    newcomer: admission.newcomer,
    evidence: riskEvidence(provider.evidence, now, isBonded),
    underBond: isBonded && isBarred(provider.evidence, now),
  };
};

export const createProviderMarket = ({
  providers,
  now,
}: {
  readonly providers: Pick<Providers, 'findAll'>;
  readonly now: () => string;
}): ProviderMarket => ({
  async placementsOf(providerIds) {
    const at = now();
    const placements = new Map<string, MarketPlacement>();
    for (const provider of await providers.findAll(providerIds)) {
      const placement = placementOf(provider, at);
      if (placement) placements.set(provider.providerId, placement);
    }
    return placements;
  },
});
