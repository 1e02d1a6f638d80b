import { describe, expect, test } from 'vitest';
import { type Attack, meanStudy, type TrustStudy } from './trust.ts';

/** Share of tasks that may fail (domain-rules 2.3); 0.03 do where everybody is honest. */
const MOST_FAILED = 0.036;
/** With three chips more for every attacker. */
const MOST_FAILED_BY_WHITEWASHING = 0.04;
/** Attackers post a bond as soon as they are barred. */
const study = (attack: Attack, underbid: boolean): TrustStudy =>
  meanStudy(attack, { trust: 'priced', underbid, bonds: 'attackers' });

describe('trust.sim: trust, gate, price of risk and award of the product together', () => {
  describe.each([
    ['at their cost', false],
    ['almost nothing', true],
  ])('attackers who ask %s', (_, underbid) => {
    test.each(['persist', 'camouflage', 'on-off', 'betray', 'bonded return'] as const)(
      '%s: at most 36 tasks of 1,000 fail',
      (attack) => {
        expect(study(attack, underbid).failed).toBeLessThanOrEqual(MOST_FAILED);
      },
      300_000,
    );

    test('whitewash: at most 40 do, at the cost of a chip for each name', () => {
      expect(study('whitewash', underbid).failed).toBeLessThanOrEqual(MOST_FAILED_BY_WHITEWASHING);
    }, 300_000);

    test('collusion: friends who vouch buy no more than other names do, and far less than without trust', () => {
      const { failed } = study('collusion', underbid);
      expect(failed).toBeLessThanOrEqual(MOST_FAILED_BY_WHITEWASHING);
      const without = meanStudy('collusion', { trust: 'none', underbid, bonds: 'nobody' }, { seeds: [1] });
      expect(failed).toBeLessThan(without.failed / 4);
    }, 300_000);
  });

  test('a bond brings honest providers back that an early loss has left without work', () => {
    const [without, within] = (['nobody', 'everybody'] as const).map((bonds) =>
      meanStudy('persist', { trust: 'priced', underbid: false, bonds }, { seeds: [1] }),
    ) as [TrustStudy, TrustStudy];
    expect(without.least).toBeLessThan(without.median / 100);
    expect(within.least).toBeGreaterThan(within.median / 4);
    expect(within.failed).toBeLessThanOrEqual(MOST_FAILED);
  }, 300_000);

  test('honest newcomers get at least half of what others get, and payments rise by less than a tenth', () => {
    const seeds = [1];
    const rules = { trust: 'priced', underbid: false, bonds: 'attackers' } as const;
    expect(meanStudy('persist', rules, { seeds, newcomers: true }).newcomers).toBeGreaterThan(0.5);
    const [priced, before] = [rules, { ...rules, trust: 'probation' as const }].map(
      (each) => meanStudy('persist', each, { seeds }).paid,
    );
    expect(priced).toBeLessThan(1.1 * (before ?? 0));
  }, 300_000);
});
