import { hexToBytes } from '@noble/hashes/utils.js';
import type { Provider } from '../provider/fold.ts';
import { fullOpinion } from '../provider/opinion.ts';
import { isBefore } from '../time.ts';
import type { Candidate } from './candidate.ts';

type Known = Pick<Provider, 'providerId' | 'owner' | 'attestation' | 'presence' | 'evidence' | 'vrf'>;

const isActive = ({ attestation, presence }: Known): boolean =>
  attestation !== null && (presence === 'up' || presence === 'suspected');

/**
 * The candidates among the providers as the log knows them: attested, reachable, and with a VRF key registered by
 * `registeredBy`. Of several nodes with one key the first to register it counts, for one draw cannot serve two places.
 * A node that changes its key is out until the new one has waited.
 */
export const eligibleCandidates = (providers: Iterable<Known>, registeredBy: string): Candidate[] => {
  const taken = new Set<string>();
  return [...providers]
    .flatMap((provider) =>
      provider.vrf && isActive(provider) && !isBefore(registeredBy, provider.vrf.registeredAt)
        ? [{ provider, vrf: provider.vrf }]
        : [],
    )
    .sort((a, b) => (isBefore(a.vrf.registeredAt, b.vrf.registeredAt) ? -1 : 1))
    .flatMap(({ provider, vrf }) => {
      if (taken.has(vrf.key)) return [];
      taken.add(vrf.key);
      return [
        {
          nodeId: provider.providerId,
          vrfKey: hexToBytes(vrf.key),
          weight: Math.round(1000 * fullOpinion(provider.evidence).mean),
          addressPrefix: vrf.addressPrefix,
          operator: provider.owner,
        },
      ];
    });
};
