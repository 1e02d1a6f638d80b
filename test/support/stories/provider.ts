import type { ProviderEvent } from '../../../domain/provider/events.ts';
import { INFRASTRUCTURE_TYPES, type InfrastructureType } from '../../../domain/tiers.ts';
import { at, type Draw, hex, micro, type Story, ulid } from './parts.ts';

export const providerStory = (seed: number, draw: Draw): Story => {
  const stream = `provider-${ulid(seed)}`;
  const events: ProviderEvent[] = [
    {
      type: 'provider.registered',
      machineVersion: 1,
      providerId: stream,
      owner: `subject-${ulid(seed)}`,
      infrastructureType: INFRASTRUCTURE_TYPES[seed % INFRASTRUCTURE_TYPES.length] as InfrastructureType,
      asn: 4_200_000_000 + seed,
      region: 'region-a',
      tops: 512.25,
      publicKey: hex(seed),
      registeredAt: at(seed),
    },
    {
      type: 'provider.attested',
      platform: 'amd_sev_snp',
      label: 'simulated',
      reportHash: hex(seed),
      nonce: hex(seed),
      attestedAt: at(seed + 1),
      expiresAt: at(seed + 86_400),
    },
    { type: 'provider.stake-locked', amount: micro(5_000_000), at: at(seed + 2) },
    { type: 'provider.up', at: at(seed + 2), missedHeartbeats: 0 },
  ];
  for (let item = draw(6); item > 0; item--) {
    events.push({
      type: 'provider.evidence-recorded',
      evidenceId: `proof-${ulid(seed * 100 + item)}`,
      reason: draw(3) === 0 ? 'lost' : 'completed',
      positive: draw(2) / 10,
      negative: draw(3) * 0.7,
      at: at(seed + 100 + item),
    });
  }
  for (let bond = draw(3); bond > 0; bond--) {
    const amount = micro(100_000 * bond);
    const now = at(seed + 150 - 10 * bond);
    events.push(
      { type: 'provider.bond-posted', amount, at: now },
      { type: 'provider.chance-taken', auctionId: `auction-${ulid(seed)}`, at: now },
    );
    if (bond === 1 && draw(2) === 0) break;
    const because = draw(2) === 0 ? 'delivered' : 'withdrawn';
    const share = { principal: `subject-${ulid(1)}`, amount: micro(50_000 * bond) };
    events.push(
      draw(2) === 0
        ? { type: 'provider.bond-returned', amount, because, at: now }
        : {
            type: 'provider.bond-forfeited',
            amount,
            evidenceId: `job-${bond}@1`,
            shares: [share],
            at: now,
          },
    );
  }
  if (draw(2) === 0) events.push({ type: 'provider.suspected', at: at(seed + 200), missedHeartbeats: 2 });
  return { stream, events };
};
