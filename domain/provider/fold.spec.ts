import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { providerCommands } from '../../test/support/commands/fold-commands.ts';
import { foldOver } from '../fold.ts';
import { canonicalJson } from '../json.ts';
import { toMicro } from '../money.ts';
import { providerDecider } from './decider.ts';
import type { ProviderEvent } from './events.ts';
import { type ProviderState, providerFold, unknownProvider } from './fold.ts';

const at = (minute: number): string => `2026-01-01T00:${String(minute).padStart(2, '0')}:00.000Z`;
const amount = toMicro('1000');
const shares = [{ principal: 'subject-b', amount: toMicro('500') }];

/** An event of every type, in an order that the fold takes; the compiler holds it against the union. */
const EVERY_EVENT: { readonly [T in ProviderEvent['type']]: ProviderEvent & { readonly type: T } } = {
  'provider.registered': {
    type: 'provider.registered',
    machineVersion: 1,
    providerId: 'provider-1',
    owner: 'subject-1',
    infrastructureType: 'hybrid_environments',
    asn: 64500,
    region: 'region-a',
    tops: 500,
    publicKey: 'ab'.repeat(32),
    registeredAt: at(0),
  },
  'provider.attested': {
    type: 'provider.attested',
    platform: 'amd_sev_snp',
    label: 'simulated',
    reportHash: 'cd'.repeat(32),
    chip: 'chip-1',
    nonce: '01',
    attestedAt: at(1),
    expiresAt: at(50),
  },
  'provider.stake-locked': { type: 'provider.stake-locked', amount: toMicro('9000'), at: at(2) },
  'provider.stake-unbonding': { type: 'provider.stake-unbonding', amount, releasesAt: at(3), at: at(2) },
  'provider.stake-withdrawn': { type: 'provider.stake-withdrawn', amount, at: at(4) },
  'provider.stake-slashed': {
    type: 'provider.stake-slashed',
    amount,
    evidenceId: 'proof-0',
    shares,
    at: at(5),
  },
  'provider.bond-posted': { type: 'provider.bond-posted', amount, at: at(6) },
  'provider.chance-taken': { type: 'provider.chance-taken', auctionId: 'auction-1', at: at(7) },
  'provider.bond-returned': { type: 'provider.bond-returned', amount, because: 'delivered', at: at(8) },
  'provider.bond-forfeited': {
    type: 'provider.bond-forfeited',
    amount,
    evidenceId: 'proof-0',
    shares,
    at: at(9),
  },
  'provider.vrf-key-registered': {
    type: 'provider.vrf-key-registered',
    vrfKey: 'ef'.repeat(32),
    proof: '00',
    addressPrefix: '10.0',
    at: at(10),
  },
  'provider.up': { type: 'provider.up', at: at(11), missedHeartbeats: 0 },
  'provider.suspected': { type: 'provider.suspected', at: at(12), missedHeartbeats: 1 },
  'provider.lost': { type: 'provider.lost', at: at(13), missedHeartbeats: 3 },
  'provider.evidence-recorded': {
    type: 'provider.evidence-recorded',
    evidenceId: 'proof-1',
    reason: 'completed',
    work: { payer: 'subject-b', fee: amount },
    positive: 1,
    negative: 0,
    at: at(14),
  },
  'provider.trust-uncertain': { type: 'provider.trust-uncertain', mean: 0.5, uncertainty: 0.4 },
  'provider.trust-low': { type: 'provider.trust-low', mean: 0.4, uncertainty: 0.4 },
  'provider.trust-certain': { type: 'provider.trust-certain', mean: 0.9, uncertainty: 0.1 },
  'provider.trust-recovered': { type: 'provider.trust-recovered', mean: 0.9, uncertainty: 0.1 },
};

const fault = (minute: number): ProviderEvent => ({
  type: 'provider.evidence-recorded',
  evidenceId: `auction-1@${minute}`,
  reason: 'lost',
  work: { payer: 'subject-c', fee: amount },
  positive: 0,
  negative: 1,
  at: at(minute),
});

/** Each state on the way, so that nothing an event sets is hidden by what comes after it. */
const statesOf = (events: readonly ProviderEvent[]): ProviderState[] => {
  const states: ProviderState[] = [];
  for (const event of events)
    states.push(providerFold.evolve(states.at(-1) ?? providerFold.initialState, event));
  return states;
};

/**
 * States of this version are kept, and read back by later builds. Who changes what providers fold to raises
 * `snapshotVersion`, and puts the new hash here.
 */
test('what providers fold to is what this version of their snapshots says', () => {
  const posted = EVERY_EVENT['provider.bond-posted'];
  const events = Object.values(EVERY_EVENT).flatMap((event): ProviderEvent[] =>
    // A bond has two ends, and stands behind each of them.
    event.type === 'provider.bond-forfeited' ? [posted, event] : [event],
  );
  const states = statesOf([...events, fault(15), fault(16)]);
  const hash = bytesToHex(sha256(utf8ToBytes(canonicalJson(states))));
  expect({ version: providerFold.snapshotVersion, hash }).toEqual({
    version: 1,
    hash: '878ade789c90a64e978c4942030d4bd7f58011f380c8bf63b3dd2215fa1ce296',
  });
});

test('a state that was kept as JSON goes on as the state itself does', () => {
  const history = fc.array(providerCommands('provider-1', 'subject-1'), { maxLength: 40 });
  const goesOn = fc.property(history, fc.double({ min: 0, max: 1, noNaN: true }), (commands, share) => {
    let state: ProviderState = unknownProvider;
    const events: ProviderEvent[] = [];
    for (const [index, command] of commands.entries()) {
      const decision = providerDecider.decide(state, command, { now: at(index), actor: 'subject-1' });
      if (!decision.ok) continue;
      // As they come from the log.
      const written = JSON.parse(JSON.stringify(decision.events)) as ProviderEvent[];
      state = foldOver(providerFold, state, written);
      events.push(...written);
    }
    const cut = Math.floor(events.length * share);
    const before = foldOver(providerFold, unknownProvider, events.slice(0, cut));
    const kept = JSON.parse(JSON.stringify(before)) as ProviderState;
    expect(kept).toEqual(before);
    expect(foldOver(providerFold, kept, events.slice(cut))).toEqual(state);
  });
  fc.assert(goesOn);
});
