import type { OpenedBid } from '../../domain/auction/events.ts';
import { admits } from '../../domain/provider/opinion.ts';
import { memberUnavailability } from '../../domain/provider/unavailability.ts';
import type { Providers } from './providers.ts';

/** What an award has to know of a bidder: where it stands and how well it is known. */
export type MarketPlacement = Omit<OpenedBid, 'bidId' | 'price'>;

export interface ProviderMarket {
  /** Null for a provider that is not listed or that the trust gate refuses. */
  placementOf(providerId: string): Promise<MarketPlacement | null>;
}

export const createProviderMarket = ({
  providers,
  now,
}: {
  readonly providers: Providers;
  readonly now: () => string;
}): ProviderMarket => ({
  async placementOf(providerId) {
    const provider = await providers.find(providerId);
    if (!provider?.attestation) return null;
    const admission = admits(provider.evidence, now());
    if (!admission.admitted) return null;
    const { owner, infrastructureType, asn, region } = provider;
    return {
      providerId,
      owner,
      infrastructureType,
      asn,
      region,
      unavailability: memberUnavailability(infrastructureType, provider.reliability),
      newcomer: admission.newcomer,
    };
  },
});
