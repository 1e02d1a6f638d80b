import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { specify } from '../../test/support/decider.ts';
import { account } from '../ledger/events.ts';
import { type Micro, toMicro, units, ZERO } from '../money.ts';
import { DEFAULT_T_REF } from '../tiers.ts';
import { addSeconds } from '../time.ts';
import { requiredBond } from './bond.ts';
import { decideProvider, type ProviderCommand } from './decide.ts';
import type { EvidenceReason, ProviderEvent } from './events.ts';
import { evolveProvider, type ProviderState, unknownProvider } from './fold.ts';
import { movements } from './movements.ts';
import { admits, EVIDENCE_WEIGHTS } from './opinion.ts';
import { isBarred, riskEvidence } from './risk.ts';
import { requiredStake } from './stake.ts';

const { given } = specify<ProviderState, ProviderCommand, ProviderEvent>({
  initial: unknownProvider,
  evolve: evolveProvider,
  decide: decideProvider,
});

const AT = '2026-01-01T00:00:00.000Z';
const DAY = 86_400;
const now = { now: AT };
const micro = (amount: number): Micro => toMicro(BigInt(amount));
const LEAST = Number(requiredStake(1000));

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
const faulty = (evidenceId: string, reason: EvidenceReason = 'no-show', at = AT): ProviderEvent => ({
  type: 'provider.evidence-recorded',
  evidenceId,
  reason,
  ...EVIDENCE_WEIGHTS[reason],
  at,
});
const delivered = (evidenceId: string, at = AT): ProviderEvent => ({
  type: 'provider.evidence-recorded',
  evidenceId,
  reason: 'completed',
  ...EVIDENCE_WEIGHTS.completed,
  at,
  work: { payer: `payer of ${evidenceId}`, fee: micro(1000) },
});
/** Nobody delivered; three did not show up: the gate refuses it. */
const barred = [registered, faulty('no-1'), faulty('no-2'), faulty('no-3')] as const;
const post = (amount: number): ProviderCommand => ({
  type: 'post-bond',
  amount: micro(amount),
  tRef: DEFAULT_T_REF,
});
const posted = (amount: number, at = AT): ProviderEvent => ({
  type: 'provider.bond-posted',
  amount: micro(amount),
  at,
});
const taken = (auctionId: string, at = AT): ProviderEvent => ({
  type: 'provider.chance-taken',
  auctionId,
  at,
});
const take = (auctionId: string, escrow: number, over: string | null = null): ProviderCommand => ({
  type: 'take-chance',
  auctionId,
  escrow: micro(escrow),
  over,
});
const withdraw = (over: string | null = null): ProviderCommand => ({ type: 'withdraw-bond', over });
const returned = (because: 'delivered' | 'withdrawn', amount = LEAST): ProviderEvent => ({
  type: 'provider.bond-returned',
  amount: micro(amount),
  because,
  at: AT,
});
const WRONGED = { submitter: 'submitter-1', members: ['owner-2', 'owner-3'] };
const fault = (
  evidenceId: string,
  auctionId: string,
  reason: Exclude<EvidenceReason, 'completed'> = 'lost',
): ProviderCommand => ({ type: 'record-evidence', evidenceId, reason, auctionId, wronged: WRONGED });
const complete = (evidenceId: string): ProviderCommand => ({
  type: 'record-evidence',
  evidenceId,
  reason: 'completed',
  work: { payer: `payer of ${evidenceId}`, fee: micro(1000) },
});
const forfeited = (amount = LEAST): ProviderEvent => ({
  type: 'provider.bond-forfeited',
  amount: micro(amount),
  evidenceId: 'fault-1',
  shares: [
    { principal: 'submitter-1', amount: micro(Math.floor(amount / 2)) },
    { principal: 'owner-2', amount: micro(Math.floor(amount / 4)) },
    { principal: 'owner-3', amount: micro(Math.floor(amount / 4)) },
  ],
  at: AT,
});
const stateOf = (...events: readonly ProviderEvent[]) => {
  const state = events.reduce<ProviderState>(evolveProvider, null);
  if (!state) throw new Error('no provider');
  return state;
};
const decided = (state: ProviderState, command: ProviderCommand, at = AT): readonly ProviderEvent[] => {
  const decision = decideProvider(state, command, { now: at, actor: 'engine' });
  if (!decision.ok) throw new Error(decision.message);
  return decision.events;
};
const typesOf = (events: readonly ProviderEvent[]): string[] => events.map(({ type }) => type);

describe('settled 39: a bond buys a first chance after a bar', () => {
  test('its owner posts it, and the gate admits the provider at once, a little behind newcomers', () => {
    given(...barred)
      .when(post(LEAST), now)
      .then(posted(LEAST));
    const { evidence } = stateOf(...barred);
    expect(admits(evidence, AT).admitted).toBe(false);
    expect(admits(evidence, AT, true)).toMatchObject({ admitted: true, newcomer: true });
    expect(riskEvidence(evidence, AT).negative).toBeGreaterThan(5);
    expect(riskEvidence(evidence, AT, true)).toEqual({ positive: 0, negative: 0.1 });
  });

  test('also where the gate admits a record that risk prices out of the market', () => {
    given(registered, faulty('no-1', 'lost')).when(post(LEAST), now).then(posted(LEAST));
  });

  test('a bond makes no record as good as none', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 40 }), (outcomes) => {
        const events = outcomes.map((good, index) => (good ? delivered(`e-${index}`) : faulty(`e-${index}`)));
        const { evidence } = stateOf(registered, ...events);
        const bonded = riskEvidence(evidence, AT, true);
        expect(bonded).toEqual(
          isBarred(evidence, AT) ? { positive: 0, negative: 0.1 } : riskEvidence(evidence, AT),
        );
        // Whom the gate refuses is barred.
        if (!admits(evidence, AT).admitted) expect(isBarred(evidence, AT)).toBe(true);
      }),
    );
  });

  test('is for who is barred, and costs what bidding takes as stake at least', () => {
    given(registered)
      .when(post(LEAST), now)
      .thenRejects('CONFLICT', /not barred/);
    given(...barred)
      .when(post(LEAST - 1), now)
      .thenRejects('INVALID_REQUEST', new RegExp(String(LEAST)), [
        { field: 'amount', rule: `at least ${LEAST} micro-units` },
      ]);
    given(...barred, posted(LEAST))
      .when(post(LEAST), now)
      .thenRejects('CONFLICT', /posted already/);
    given(...barred)
      .when(post(LEAST), { now: addSeconds(AT, 30 * DAY) })
      .thenRejects('CONFLICT', /not barred/);
  });

  test('stands behind one order at a time, and none larger than itself', () => {
    const bonded = [...barred, posted(LEAST)] as const;
    given(...bonded)
      .when(take('auction-1', LEAST), now)
      .then(taken('auction-1'));
    given(...bonded)
      .when(take('auction-1', LEAST + 1), now)
      .thenRejects('INSUFFICIENT_BALANCE', /does not cover/);
    given(...bonded, taken('auction-1'))
      .when(take('auction-1', LEAST), now)
      .thenNothing();
    given(...bonded, taken('auction-1'))
      .when(take('auction-2', LEAST), now)
      .thenRejects('CONFLICT', /behind auction-1/);
    given(...bonded, taken('auction-1'))
      .when(take('auction-2', LEAST, 'auction-1'), now)
      .then(taken('auction-2'));
    // Whoever needs no bond takes no chance.
    given(...barred)
      .when(take('auction-1', LEAST), now)
      .thenNothing();
  });

  test('goes back when the record speaks for itself again, which one delivery alone does not make it', () => {
    let state: ProviderState = stateOf(registered, faulty('no-1', 'lost'), posted(LEAST), taken('auction-1'));
    const ends: string[][] = [];
    for (let job = 1; state?.bond; job++) {
      const events = decided(state, complete(`proof-${job}`));
      ends.push(typesOf(events).filter((type) => type.startsWith('provider.bond')));
      state = events.reduce<ProviderState>(evolveProvider, state);
      expect(job).toBeLessThan(30);
    }
    expect(ends).toEqual([[], [], [], [], ['provider.bond-returned']]);
    expect(state && isBarred(state.evidence, AT)).toBe(false);
  });

  test('is withdrawn while nothing won under it is under way', () => {
    const bonded = [...barred, posted(LEAST)] as const;
    given(...bonded)
      .when(withdraw(), now)
      .then(returned('withdrawn'));
    given(...bonded, taken('auction-1'))
      .when(withdraw(), now)
      .thenRejects('CONFLICT', /behind auction-1/);
    given(...bonded, taken('auction-1'))
      .when(withdraw('auction-1'), now)
      .then(returned('withdrawn'));
    given(...barred)
      .when(withdraw(), now)
      .thenRejects('CONFLICT', /no bond/);
    // Nothing was tried under it: the next may come at once.
    given(...bonded, returned('withdrawn'))
      .when(post(LEAST), now)
      .then(posted(LEAST));
  });
});

describe('a new fault under a bond', () => {
  const bonded = stateOf(...barred, posted(LEAST), taken('auction-1'));

  test.each(['declared', 'attestation', 'refusal', 'no-show', 'lost', 'deviation'] as const)(
    'forfeits it, half to the submitter and half to those who delivered: %s',
    (reason) => {
      const events = decided(bonded, fault('fault-1', 'auction-1', reason));
      expect(events).toContainEqual(forfeited());
      expect(events.reduce<ProviderState>(evolveProvider, bonded)).toMatchObject({
        bond: null,
        bondsForfeited: 1,
        bondEndedAt: AT,
      });
    },
  );

  test('does not, where the work was won before, or it is known already', () => {
    expect(typesOf(decided(bonded, fault('fault-1', 'auction-0')))).not.toContain('provider.bond-forfeited');
    const after = decided(bonded, fault('fault-1', 'auction-1')).reduce<ProviderState>(
      evolveProvider,
      bonded,
    );
    expect(decided(after, fault('fault-1', 'auction-1'))).toEqual([]);
  });

  test('leaves no second chance for 30 days, and makes the next one dearer', () => {
    const used = [
      ...barred,
      posted(LEAST),
      taken('auction-1'),
      faulty('fault-1', 'lost'),
      forfeited(),
    ] as const;
    given(...used)
      .when(post(2 * LEAST), { now: addSeconds(AT, 30 * DAY - 1) })
      .thenRejects('CONFLICT', /30 days/);
    const later = addSeconds(AT, 30 * DAY);
    const again = [faulty('no-4', 'no-show', later), faulty('no-5', 'no-show', later)];
    given(...used, ...again)
      .when(post(2 * LEAST - 1), { now: later })
      .thenRejects('INVALID_REQUEST', new RegExp(String(2 * LEAST)));
    given(...used, ...again)
      .when(post(2 * LEAST), { now: later })
      .then(posted(2 * LEAST, later));
  });

  test('doubles the bond, up to 64 times', () => {
    const bond = (bondsForfeited: number): Micro => requiredBond(1000, { bondsForfeited });
    expect([0, 1, 2, 6, 7, 1000].map(bond)).toEqual(
      [1, 2, 4, 64, 64, 64].map((times) => micro(times * LEAST)),
    );
    expect(requiredBond(6000, { bondsForfeited: 0 }, 450)).toBe(requiredStake(6000, 450));
  });
});

test('Σ = 0, a bond ends exactly once, and its account holds what is posted, through whatever happens', () => {
  const auction = fc.constantFrom('auction-1', 'auction-2');
  const over = fc.constantFrom('auction-1', 'auction-2', null);
  const id = fc.nat(60).map((index) => `item-${index}`);
  const commands = fc.array(
    fc.oneof(
      fc.constantFrom(LEAST - 1, LEAST, 2 * LEAST, 4 * LEAST, 64 * LEAST).map(post),
      fc.tuple(auction, fc.nat(2 * LEAST), over).map((args) => take(...args)),
      over.map(withdraw),
      fc
        .tuple(id, auction, fc.constantFrom('lost', 'no-show', 'deviation'))
        .map(([item, won, reason]) => fault(item, won, reason)),
      id.map(complete),
    ),
    { minLength: 20, maxLength: 60 },
  );
  const waits = fc.array(fc.constantFrom(0, 0, 0, 60, DAY, 31 * DAY), { minLength: 60, maxLength: 60 });
  let ended = 0;
  fc.assert(
    fc.property(commands, waits, (asked, pauses) => {
      let state: ProviderState = stateOf(...barred);
      let at = AT;
      let bonds = 0;
      let ends = 0;
      const balances = new Map<string, bigint>();
      for (const [index, command] of asked.entries()) {
        at = addSeconds(at, pauses[index] ?? 0);
        const decision = decideProvider(state, command, { now: at, actor: 'any' });
        for (const event of decision.ok ? decision.events : []) {
          if (event.type === 'provider.bond-posted') bonds++;
          if (event.type === 'provider.bond-returned' || event.type === 'provider.bond-forfeited') ends++;
          for (const entry of movements(state, event, `provider-1@${index}`)) {
            expect(entry.postings.reduce((sum, { amount }) => sum + units(amount), 0n)).toBe(0n);
            for (const { account: name, amount } of entry.postings)
              balances.set(name, (balances.get(name) ?? 0n) + units(amount));
          }
          state = evolveProvider(state, event);
        }
        expect(bonds - ends).toBe(state?.bond ? 1 : 0);
        expect(balances.get(account.bond('provider-1')) ?? 0n).toBe(units(state?.bond?.amount ?? ZERO));
        for (const name of ['submitter-1', 'owner-2', 'owner-3'].map(account.available))
          expect(balances.get(name) ?? 0n).toBeGreaterThanOrEqual(0n);
      }
      ended += ends;
    }),
    { numRuns: 300 },
  );
  expect(ended).toBeGreaterThan(100);
});
