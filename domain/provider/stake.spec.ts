import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { specify } from '../../test/support/decider.ts';
import { account } from '../ledger/events.ts';
import { type Micro, toMicro, units } from '../money.ts';
import { MINIMUM_STAKE, UNBONDING_SECONDS } from '../tiers.ts';
import { addSeconds } from '../time.ts';
import { decideProvider, type ProviderCommand } from './decide.ts';
import type { ProviderEvent } from './events.ts';
import { evolveProvider, type ProviderState, unknownProvider } from './fold.ts';
import { movements } from './movements.ts';
import { bondedStake, requiredStake } from './stake.ts';

const { given } = specify<ProviderState, ProviderCommand, ProviderEvent>({
  initial: unknownProvider,
  evolve: evolveProvider,
  decide: decideProvider,
});

const AT = '2026-01-01T00:00:00.000Z';
const RELEASE = addSeconds(AT, UNBONDING_SECONDS);
const micro = (amount: number): Micro => toMicro(BigInt(amount));

const registered: ProviderEvent = {
  type: 'provider.registered',
  machineVersion: 1,
  providerId: 'provider-1',
  owner: 'owner-1',
  infrastructureType: 'cloud_aws',
  asn: 64_512,
  region: 'region-1',
  tops: 1000,
  publicKey: 'aa',
  registeredAt: AT,
};
const locked = (amount: number): ProviderEvent => ({
  type: 'provider.stake-locked',
  amount: micro(amount),
  at: AT,
});
const unbonding = (amount: number, at = AT): ProviderEvent => ({
  type: 'provider.stake-unbonding',
  amount: micro(amount),
  releasesAt: addSeconds(at, UNBONDING_SECONDS),
  at,
});
const unbond = (amount: number): ProviderCommand => ({ type: 'unbond-stake', amount: micro(amount) });
const withdraw: ProviderCommand = { type: 'withdraw-stake' };
const WRONGED = { submitter: 'submitter-1', members: ['owner-2', 'owner-3'] };
const fraud = (evidenceId: string): ProviderCommand => ({
  type: 'record-evidence',
  evidenceId,
  reason: 'deviation',
  wronged: WRONGED,
});

describe('settled 42: the stake that bidding takes', () => {
  test.each([
    // A tenth of the hourly value: 900 TOPS are one H200-hour, 1,000,000 at the list price.
    [6000, 900, 666_667],
    [2000, 900, 222_223],
    [900, 900, 100_000],
    [1, 900, 100_000],
    [0.5, 900, 100_000],
    [6000, 450, 1_333_334],
  ])('of %d TOPS, counted by %d, is %d', (tops, tRef, amount) => {
    expect(requiredStake(tops, tRef)).toBe(String(amount));
  });

  test('is never below a tenth of the value, nor below the least', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000_000 }), (tops) => {
        const stake = Number(requiredStake(tops));
        expect(stake).toBeGreaterThanOrEqual(Number(MINIMUM_STAKE));
        expect(stake).toBeGreaterThanOrEqual((tops / 900) * 100_000 - 1e-6 * tops);
      }),
    );
  });
});

describe('unbonding', () => {
  test('takes a day, in which the stake stands behind no bid', () => {
    given(registered, locked(10)).when(unbond(4), { now: AT }).then(unbonding(4));
    const { state } = given(registered, locked(10), unbonding(4));
    expect(state).toMatchObject({ stake: '10', unbonding: [{ amount: '4', releasesAt: RELEASE }] });
    expect(state && bondedStake(state)).toBe('6');
  });

  test('asks back no more than is bonded, and more than nothing', () => {
    const at = { now: AT };
    given(registered, locked(10), unbonding(4))
      .when(unbond(7), at)
      .thenRejects('INSUFFICIENT_BALANCE', /6 is staked/, [
        { field: 'amount', rule: 'at most 6 micro-units' },
      ]);
    given(registered, locked(10))
      .when(unbond(0), at)
      .thenRejects('INVALID_REQUEST', /more than nothing/);
    const many = Array.from({ length: 16 }, () => unbonding(1));
    given(registered, locked(100), ...many)
      .when(unbond(1), at)
      .thenRejects('CONFLICT', /16 parts/);
  });

  test('is decided by the engine’s time: not a millisecond before', () => {
    const stream = [registered, locked(10), unbonding(4), unbonding(3, addSeconds(AT, 60))] as const;
    given(...stream)
      .when(withdraw, { now: addSeconds(AT, UNBONDING_SECONDS - 0.001) })
      .thenRejects('CONFLICT', new RegExp(RELEASE));
    given(...stream)
      .when(withdraw, { now: RELEASE })
      .then({ type: 'provider.stake-withdrawn', amount: micro(4), at: RELEASE });
    const later = addSeconds(RELEASE, 60);
    given(...stream)
      .when(withdraw, { now: later })
      .then({ type: 'provider.stake-withdrawn', amount: micro(7), at: later });
    given(registered, locked(10))
      .when(withdraw, { now: later })
      .thenRejects('CONFLICT', /no stake unbonds/);
  });
});

describe('settled 39: a fraud takes the stake', () => {
  const slashed = (amount: number, shares: [string, number][]): ProviderEvent => ({
    type: 'provider.stake-slashed',
    amount: micro(amount),
    evidenceId: 'proof-1',
    shares: shares.map(([principal, share]) => ({ principal, amount: micro(share) })),
    at: AT,
  });
  const eventsOf = (...events: ProviderEvent[]) => {
    const decision = decideProvider(events.reduce<ProviderState>(evolveProvider, null), fraud('proof-1'), {
      now: AT,
      actor: 'engine',
    });
    return decision.ok ? decision.events.filter(({ type }) => type === 'provider.stake-slashed') : [];
  };

  test('whole, what unbonds included: half to the submitter, half to the members that delivered', () => {
    expect(eventsOf(registered, locked(11), unbonding(4))).toEqual([
      slashed(11, [
        ['submitter-1', 5],
        ['owner-2', 2],
        ['owner-3', 2],
      ]),
    ]);
  });

  test('once, and nothing where nothing is staked', () => {
    expect(eventsOf(registered)).toEqual([]);
    const decision = decideProvider(
      [registered, locked(10)].reduce<ProviderState>(evolveProvider, null),
      fraud('proof-1'),
      { now: AT, actor: 'engine' },
    );
    const after = decision.ok ? decision.events : [];
    given(registered, locked(10), ...after)
      .when(fraud('proof-1'), { now: AT })
      .thenNothing();
  });

  test('and no other fault does', () => {
    for (const reason of ['attestation', 'refusal', 'no-show', 'lost'] as const) {
      const stream = [registered, locked(10)].reduce<ProviderState>(evolveProvider, null);
      const command: ProviderCommand = { type: 'record-evidence', evidenceId: 'e', reason };
      const decision = decideProvider(stream, command, { now: AT, actor: 'engine' });
      const types = decision.ok ? decision.events.map(({ type }) => type) : [];
      expect(types).not.toContain('provider.stake-slashed');
    }
  });
});

test('the stake account holds what the provider has locked, through whatever happens', () => {
  const commands = fc.array(
    fc.oneof(
      fc.nat(50).map((amount): ProviderCommand => ({ type: 'lock-stake', amount: micro(amount) })),
      fc.nat(50).map(unbond),
      fc.constant(withdraw),
      fc.nat(3).map((id) => fraud(`proof-${id}`)),
    ),
    { maxLength: 30 },
  );
  fc.assert(
    fc.property(commands, fc.array(fc.nat(40_000), { minLength: 30, maxLength: 30 }), (asked, waits) => {
      let state: ProviderState = evolveProvider(null, registered);
      let now = AT;
      const balances = new Map<string, bigint>();
      for (const [index, command] of asked.entries()) {
        now = addSeconds(now, waits[index] ?? 0);
        const decision = decideProvider(state, command, { now, actor: 'any' });
        for (const event of decision.ok ? decision.events : []) {
          for (const entry of movements(state, event, `provider-1@${index}`)) {
            expect(entry.postings.reduce((sum, { amount }) => sum + units(amount), 0n)).toBe(0n);
            for (const { account: name, amount } of entry.postings)
              balances.set(name, (balances.get(name) ?? 0n) + units(amount));
          }
          state = evolveProvider(state, event);
        }
        expect(balances.get(account.stake('provider-1')) ?? 0n).toBe(units(state.stake));
        expect(units(bondedStake(state))).toBeGreaterThanOrEqual(0n);
        for (const name of ['submitter-1', 'owner-2'].map(account.available))
          expect(balances.get(name) ?? 0n).toBeGreaterThanOrEqual(0n);
      }
    }),
  );
});
