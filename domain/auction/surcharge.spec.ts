import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toMicro, units } from '../money.ts';
import { type Risk, surchargesOf } from './surcharge.ts';

const terms = { ceiling: toMicro('10000'), winners: 3, seed: 'ab'.repeat(32) };
const risk = (owner: number, positive: number, negative: number): Risk => ({
  owner: `owner-${owner}`,
  evidence: { positive, negative },
});
const amounts = (risks: readonly Risk[], change: Partial<typeof terms> = {}): number[] =>
  surchargesOf(risks, { ...terms, ...change }).map(Number);

const evidence = fc.double({ min: 0, max: 20, noNaN: true });
const risks = fc
  .array(fc.tuple(evidence, evidence), { minLength: 1, maxLength: 12 })
  .map((items) => items.map(([positive, negative], index) => risk(index, positive, negative)));

describe('surcharges', () => {
  test('are none where all are alike: in a young market price decides alone', () => {
    for (let seed = 0; seed < 50; seed++)
      expect(
        amounts(
          [0, 1, 2, 3, 4, 5].map((owner) => risk(owner, 0, 0)),
          { seed: `${seed}` },
        ),
      ).toEqual(Array(6).fill(0));
  });

  test('leave one more than are bought without any, and none above eight ceilings', () => {
    fc.assert(
      fc.property(risks, fc.nat(), (each, seed) => {
        const all = amounts(each, { seed: `${seed}` });
        expect(all.filter((amount) => amount === 0).length).toBeGreaterThanOrEqual(Math.min(4, each.length));
        expect(Math.max(...all)).toBeLessThanOrEqual(80_000);
      }),
    );
  });

  test('fall with the ceiling, to whole micro-units', () => {
    const market = [...[0, 1, 2, 3].map((owner) => risk(owner, 12, 0)), risk(4, 2, 4)];
    const [fifth] = surchargesOf(market, terms).slice(4);
    const [of] = surchargesOf(market, { ...terms, ceiling: toMicro('1') }).slice(4);
    expect(units(fifth ?? terms.ceiling)).toBeGreaterThan(10_000n);
    expect(Number(of)).toBe(Math.floor(Number(fifth) / 10_000));
  });

  test('of some do not fall when others flood the auction, whatever their records and however many', () => {
    fc.assert(
      fc.property(risks, risks, (some, others) => {
        const flood = others.map((each, index) => ({ ...each, owner: `flood-${index}` }));
        const alone = amounts(some);
        for (const [index, amount] of amounts([...some, ...flood])
          .slice(0, some.length)
          .entries())
          expect(amount).toBeGreaterThanOrEqual(alone[index] as number);
      }),
    );
  });

  test('of the trusted do not rise by names that nobody knows', () => {
    const trusted = [0, 1, 2, 3, 4].map((owner) => risk(owner, 15, 0));
    const names = Array.from({ length: 200 }, (_, index) => risk(100 + index, 0, 0));
    for (let seed = 0; seed < 20; seed++)
      expect(amounts([...trusted, ...names], { seed: `${seed}` }).slice(0, 5)).toEqual([0, 0, 0, 0, 0]);
  });

  test('count an owner once', () => {
    const market = [risk(0, 15, 0), risk(0, 15, 0), risk(0, 15, 0), risk(0, 15, 0), risk(1, 0, 3)];
    expect(amounts(market)).toEqual([0, 0, 0, 0, 0]);
    expect(amounts(market.map((each, index) => ({ ...each, owner: `${index}` })))[4]).toBeGreaterThan(0);
  });
});
