import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { settle } from '../job/payouts.ts';
import { decideEntry } from '../ledger/decide.ts';
import { transfer } from '../ledger/entry.ts';
import { account } from '../ledger/events.ts';
import { balanceOf, emptyLedger, evolveLedger, type Ledger, total } from '../ledger/fold.ts';
import { toMicro, units } from '../money.ts';
import { creditDue, creditMovement, decideCredit } from './credit.ts';
import { evolveSla, noCredit } from './fold.ts';
import { type Service, serviceOf } from './service.ts';
import { jobEvents, RUN_FROM, RUN_TO } from './sla.fixture.ts';

const NOW = '2026-02-01T00:00:00.000Z';
const micro = (amount: number | bigint) => toMicro(BigInt(amount));
const serviceFor = (fee: number, creditPercent = 0): Service => {
  const service = serviceOf(jobEvents({ fee, creditPercent }), 'provider-0');
  if (!service) throw new Error('the member is in its job');
  return service;
};

describe('serviceOf', () => {
  test('tells run, fee and earnings of a member', () => {
    expect(serviceFor(1000, 10)).toEqual({
      jobId: 'job-1',
      providerId: 'provider-0',
      owner: 'owner-0',
      submitter: 'subject-s',
      availability: 0.95,
      startedAt: RUN_FROM,
      endedAt: RUN_TO,
      fee: '1000',
      earned: '900',
    });
  });

  test('knows neither a stranger nor a stream that is no job', () => {
    expect(serviceOf(jobEvents(), 'provider-9')).toBeNull();
    expect(serviceOf([], 'provider-0')).toBeNull();
    expect(serviceOf(jobEvents().slice(1), 'provider-0')).toBeNull();
  });

  test('has no end before the job has one, and no earnings where the result was not accepted', () => {
    expect(serviceOf(jobEvents().slice(0, 2), 'provider-0')).toMatchObject({
      startedAt: null,
      endedAt: null,
    });
    expect(serviceOf(jobEvents().slice(0, 3), 'provider-0')).toMatchObject({ earned: '0', endedAt: null });
    const failed = [
      ...jobEvents().slice(0, 3),
      {
        type: 'job.failed',
        reason: 'RESULT_DISAGREEMENT',
        message: '',
        payouts: [],
        price: micro(0),
        failedAt: RUN_TO,
      } as const,
    ];
    expect(serviceOf(failed, 'provider-0')).toMatchObject({ earned: '0', endedAt: RUN_TO });
  });
});

const percent = fc.constantFrom(0, 10, 25, 100);
const amount = fc.integer({ min: 0, max: 10_000 });

describe('creditDue', () => {
  test('leaves the provider what its settlement would have paid had it known', () => {
    fc.assert(
      fc.property(amount, percent, percent, (fee, settled, proven) => {
        const service = serviceFor(fee, settled);
        const kept = units(service.earned) - units(creditDue(service, proven));
        const winner = { providerId: 'p', owner: 'o', bidId: 'b', payment: micro(fee) };
        const [worse] = settle({
          escrow: micro(fee),
          winners: [winner],
          creditPercent: Math.max(settled, proven),
        }).payouts;
        expect(kept).toBe(units(worse?.amount ?? micro(0)));
      }),
    );
  });
});

const posted = (ledger: Ledger, entry: ReturnType<typeof transfer>): Ledger => {
  const decision = decideEntry(ledger, entry);
  if (!decision.ok) throw new Error(decision.message);
  return decision.events.reduce(evolveLedger, ledger);
};

describe('decideCredit', () => {
  const claims = fc.array(fc.record({ creditPercent: percent, spent: amount, gained: amount }), {
    maxLength: 12,
  });

  test('never overdraws, never exceeds what the worst proof gives back, and keeps the sum at zero', () => {
    fc.assert(
      fc.property(amount, percent, claims, (fee, settled, steps) => {
        const service = serviceFor(fee, settled);
        const [owner, submitter] = [account.available('owner-0'), account.available('subject-s')];
        let ledger = posted(
          emptyLedger,
          transfer('genesis', account.external, owner, service.earned, 'start'),
        );
        let state = noCredit;
        let worst = 0;
        for (const [index, { creditPercent, spent, gained }] of steps.entries()) {
          const away = micro(spent < balanceOf(ledger, owner) ? spent : balanceOf(ledger, owner));
          ledger = posted(ledger, transfer('stake', owner, account.stake('p'), away, `away-${index}`));
          ledger = posted(
            ledger,
            transfer('credit', account.external, owner, micro(gained), `gain-${index}`),
          );
          const available = balanceOf(ledger, owner);
          const claim = { service, proofId: `proof-${index}`, creditPercent };
          const { events } = decideCredit(state, claim, { available: toMicro(available), now: NOW });
          worst = Math.max(worst, creditPercent);
          for (const event of events) {
            ledger = posted(ledger, creditMovement(event, `sla-1@${index}`));
            state = evolveSla(state, event);
          }
          expect(total(ledger)).toBe(0n);
          expect(state.due).toBe(creditDue(service, worst));
          expect(units(state.due)).toBe(units(state.paid) + units(state.outstanding));
          expect(balanceOf(ledger, submitter)).toBe(units(state.paid));
          expect(units(state.due)).toBeLessThanOrEqual(units(service.earned));
          // What was not paid was not there.
          const short = units(creditDue(service, creditPercent)) - units(state.paid);
          if (short > 0n) expect(balanceOf(ledger, owner)).toBe(0n);
        }
      }),
    );
  });

  const rich = { available: micro(1_000_000), now: NOW };

  test('moves nothing for the same proof again, nor for another of as much or less', () => {
    const service = serviceFor(1000);
    const { events } = decideCredit(noCredit, { service, proofId: 'proof-1', creditPercent: 25 }, rich);
    expect(events).toMatchObject([
      { due: '250', paid: '250', outstanding: '0', fee: '1000', earned: '1000' },
    ]);
    const state = events.reduce(evolveSla, noCredit);
    for (const creditPercent of [25, 10, 0])
      for (const proofId of ['proof-1', 'proof-2'])
        expect(decideCredit(state, { service, proofId, creditPercent }, rich).events).toEqual([]);
  });

  test('moves only the difference for a worse breach', () => {
    const service = serviceFor(1000, 10);
    const first = decideCredit(noCredit, { service, proofId: 'proof-1', creditPercent: 25 }, rich).events;
    expect(first).toMatchObject([{ earned: '900', paid: '150' }]);
    const state = first.reduce(evolveSla, noCredit);
    expect(
      decideCredit(state, { service, proofId: 'proof-2', creditPercent: 100 }, rich).events,
    ).toMatchObject([{ due: '900', paid: '750', outstanding: '0' }]);
  });

  test('records a shortfall, and collects it when the proof comes again', () => {
    const claim = { service: serviceFor(1000), proofId: 'proof-1', creditPercent: 100 };
    const poor = { available: micro(0), now: NOW };
    const first = decideCredit(noCredit, claim, poor).events;
    expect(first).toMatchObject([{ due: '1000', paid: '0', outstanding: '1000' }]);
    const owing = first.reduce(evolveSla, noCredit);
    expect(decideCredit(owing, claim, poor).events).toEqual([]);
    expect(decideCredit(owing, claim, { available: micro(300), now: NOW }).events).toMatchObject([
      { due: '1000', paid: '300', outstanding: '700' },
    ]);
  });

  test('gives nothing back of a job that paid nothing', () => {
    const service = { ...serviceFor(1000), earned: micro(0) };
    expect(decideCredit(noCredit, { service, proofId: 'proof-1', creditPercent: 100 }, rich).events).toEqual(
      [],
    );
  });
});
