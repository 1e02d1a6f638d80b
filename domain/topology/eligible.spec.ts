import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import { describe, expect, it } from 'vitest';
import { decideProvider } from '../provider/decide.ts';
import { evolveProvider, type Provider, unknownProvider } from '../provider/fold.ts';
import { addSeconds } from '../time.ts';
import { candidateSet } from './candidate.ts';
import { candidateLines, candidatesIn } from './candidate-list.ts';
import { eligibleCandidates } from './eligible.ts';
import { holdsVrfKey, nodeVrfKey, provePossession } from './node-key.ts';
import { candidates } from './topology.fixture.ts';

const AT = '2026-01-01T00:00:00.000Z';
const seedOf = (index: number) => new Uint8Array(32).fill(index);
const identityOf = (index: number) => String(index).padStart(64, '0');

const registration = (index: number, at = AT, key = nodeVrfKey(seedOf(index))) =>
  ({
    type: 'provider.vrf-key-registered',
    vrfKey: bytesToHex(key.publicKey),
    proof: provePossession(key, identityOf(index)),
    addressPrefix: '10.0.0.0/16',
    at,
  }) as const;

const provider = (index: number): Provider =>
  [
    {
      type: 'provider.registered',
      machineVersion: 1,
      providerId: `provider-${index}`,
      owner: `subject-${index}`,
      infrastructureType: 'edge_devices',
      asn: 1,
      region: 'x',
      tops: 1,
      publicKey: identityOf(index),
      registeredAt: AT,
    } as const,
    {
      type: 'provider.attested',
      platform: 'amd_sev_snp',
      label: 'simulated',
      reportHash: 'aa',
      nonce: 'bb',
      attestedAt: AT,
      expiresAt: addSeconds(AT, 86_400),
    } as const,
    registration(index),
    { type: 'provider.up', at: AT, missedHeartbeats: 0 } as const,
  ].reduce<Provider | null>(evolveProvider, unknownProvider) as Provider;

const names = (providers: readonly Provider[], registeredBy = AT) =>
  eligibleCandidates(providers, registeredBy)
    .map(({ nodeId }) => nodeId)
    .sort();

describe('candidates', () => {
  it('are attested, reachable providers whose key was registered in time', () => {
    const [a, b, c, d] = [1, 2, 3, 4].map(provider) as [Provider, Provider, Provider, Provider];
    const silent = evolveProvider(b, { type: 'provider.lost', at: AT, missedHeartbeats: 3 });
    const shaky = evolveProvider(d, { type: 'provider.suspected', at: AT, missedHeartbeats: 2 });
    expect(names([a, silent, { ...c, attestation: null }, shaky])).toEqual(['provider-1', 'provider-4']);
    expect(names([a, { ...c, vrf: null }])).toEqual(['provider-1']);
    expect(names([a], addSeconds(AT, -1))).toEqual([]);
    expect(names([a], AT)).toEqual(['provider-1']);
  });

  it('R94: lose their place when they change their key, until the new one has waited', () => {
    const later = addSeconds(AT, 60);
    const rotated = evolveProvider(provider(1), registration(1, later, nodeVrfKey(seedOf(99))));
    expect(names([rotated], AT)).toEqual([]);
    expect(names([rotated], later)).toEqual(['provider-1']);
    const moved = evolveProvider(provider(1), { ...registration(1, later), addressPrefix: '10.1.0.0/16' });
    expect(names([moved], AT)).toEqual(['provider-1']);
  });

  it('count once for each key: the first to register it', () => {
    const original = provider(1);
    const copy = evolveProvider(provider(2), registration(2, addSeconds(AT, 1), nodeVrfKey(seedOf(1))));
    for (const order of [
      [original, copy],
      [copy, original],
    ]) {
      expect(names(order, addSeconds(AT, 2))).toEqual(['provider-1']);
    }
  });

  it('weigh what the evidence on them says, in thousandths', () => {
    const trusted = Array.from({ length: 8 }, (_, item) => item).reduce<Provider>(
      (state, item) =>
        evolveProvider(state, {
          type: 'provider.evidence-recorded',
          evidenceId: `proof-${item}`,
          reason: 'completed',
          positive: 1,
          negative: 0,
          at: AT,
        }),
      provider(1),
    );
    expect(eligibleCandidates([trusted], AT)).toMatchObject([{ weight: 900 }]);
    expect(eligibleCandidates([provider(1)], AT)).toMatchObject([
      { weight: 500, operator: 'subject-1', addressPrefix: '10.0.0.0/16' },
    ]);
  });

  it('come back from their artefact with the same root', () => {
    const set = candidateSet(candidates(5));
    const again = candidateSet(candidatesIn(candidateLines(set.candidates)));
    expect(again.tree.root).toEqual(set.tree.root);
  });
});

describe('the VRF key of a node', () => {
  const key = nodeVrfKey(seedOf(7));
  const proof = hexToBytes(provePossession(key, identityOf(7)));

  it('is one per node, and registered by whoever holds it for that node alone', () => {
    expect(nodeVrfKey(seedOf(7)).publicKey).toEqual(key.publicKey);
    expect(bytesToHex(nodeVrfKey(seedOf(8)).publicKey)).not.toBe(bytesToHex(key.publicKey));
    expect(holdsVrfKey(identityOf(7), key.publicKey, proof)).toBe(true);
    expect(holdsVrfKey(identityOf(8), key.publicKey, proof)).toBe(false);
    expect(holdsVrfKey(identityOf(7), nodeVrfKey(seedOf(8)).publicKey, proof)).toBe(false);
  });

  it('is an event when it is new, nothing when it is not, and refused without its proof', () => {
    const state = provider(7);
    const { vrfKey, addressPrefix, proof: shown } = registration(7);
    const decide = (command: Partial<{ vrfKey: string; proof: string; addressPrefix: string }>) =>
      decideProvider(
        state,
        { type: 'register-vrf-key', vrfKey, proof: shown, addressPrefix, ...command },
        { now: AT, actor: 'subject-7' },
      );
    expect(decide({})).toEqual({ ok: true, events: [] });
    expect(decide({ addressPrefix: '10.1.0.0/16' })).toMatchObject({
      ok: true,
      events: [{ type: 'provider.vrf-key-registered', addressPrefix: '10.1.0.0/16', at: AT }],
    });
    const foreign = bytesToHex(nodeVrfKey(seedOf(8)).publicKey);
    expect(decide({ vrfKey: foreign })).toMatchObject({ ok: false, code: 'AUTHENTICATION_FAILED' });
  });
});
