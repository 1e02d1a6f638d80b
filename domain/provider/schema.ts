import { z } from 'zod';
import { platform } from '../enclave/schema.ts';
import {
  count,
  hex,
  id,
  infrastructureType,
  instant,
  listOf,
  measure,
  micro,
  name,
  platformLabel,
  schemaOf,
  share,
  tops,
  version,
} from '../schema.ts';
import { EVIDENCE_REASONS, type ProviderEvent } from './events.ts';

const shares = listOf(z.strictObject({ principal: name, amount: micro }));

/** The stored events of a provider. */
export const providerEventSchema = schemaOf<ProviderEvent>()(
  z.discriminatedUnion('type', [
    z.strictObject({
      type: z.literal('provider.registered'),
      machineVersion: version,
      providerId: id,
      owner: name,
      infrastructureType,
      asn: count,
      region: name,
      tops,
      publicKey: hex(32),
      registeredAt: instant,
    }),
    z.strictObject({
      type: z.literal('provider.attested'),
      platform,
      label: platformLabel,
      reportHash: hex(32),
      chip: id.exactOptional(),
      nonce: hex(32),
      attestedAt: instant,
      expiresAt: instant,
    }),
    z.strictObject({ type: z.literal('provider.stake-locked'), amount: micro, at: instant }),
    z.strictObject({
      type: z.literal('provider.stake-unbonding'),
      amount: micro,
      releasesAt: instant,
      at: instant,
    }),
    z.strictObject({ type: z.literal('provider.stake-withdrawn'), amount: micro, at: instant }),
    z.strictObject({
      type: z.literal('provider.stake-slashed'),
      amount: micro,
      evidenceId: name,
      shares,
      at: instant,
    }),
    z.strictObject({ type: z.literal('provider.bond-posted'), amount: micro, at: instant }),
    z.strictObject({ type: z.literal('provider.chance-taken'), auctionId: id, at: instant }),
    z.strictObject({
      type: z.literal('provider.bond-returned'),
      amount: micro,
      because: z.enum(['delivered', 'withdrawn']),
      at: instant,
    }),
    z.strictObject({
      type: z.literal('provider.bond-forfeited'),
      amount: micro,
      evidenceId: name,
      shares,
      at: instant,
    }),
    z.strictObject({
      type: z.literal('provider.vrf-key-registered'),
      vrfKey: hex(32),
      proof: hex(80),
      addressPrefix: name,
      at: instant,
    }),
    z.strictObject({
      type: z.enum(['provider.up', 'provider.suspected', 'provider.lost']),
      at: instant,
      missedHeartbeats: count,
    }),
    z.strictObject({
      type: z.literal('provider.evidence-recorded'),
      evidenceId: name,
      reason: z.enum(EVIDENCE_REASONS),
      work: z.strictObject({ payer: name, fee: micro }).exactOptional(),
      positive: measure,
      negative: measure,
      at: instant,
    }),
    z.strictObject({
      type: z.enum([
        'provider.trust-uncertain',
        'provider.trust-low',
        'provider.trust-certain',
        'provider.trust-recovered',
      ]),
      mean: share,
      uncertainty: share,
    }),
  ]),
);
