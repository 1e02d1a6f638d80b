import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { award } from '../auction/award.ts';
import type { OpenedBid, Winner } from '../auction/events.ts';
import { bidOf, generator, marketOf } from '../auction/market.fixture.ts';
import { toMicro, units } from '../money.ts';
import { TIER_NAMES, TIERS, TYPE_UNAVAILABILITY } from '../tiers.ts';
import { checkSet, memberOf } from './feasibility.ts';
import { type Replaced, type ReplaceInput, replaceMember } from './replace.ts';

const ceiling = toMicro('1000');
const seed = 'ef'.repeat(32);

const winner = (index: number, price: number, change: Partial<OpenedBid> = {}): Winner => ({
  ...bidOf(index, price, change),
  payment: toMicro(BigInt(price + 1)),
});

const input = (change: Partial<ReplaceInput>): ReplaceInput => ({
  tier: 'gold',
  survivors: [winner(0, 1), winner(1, 2)],
  reserve: [],
  barredOwners: [],
  ceiling,
  seed,
  ...change,
});

const replaced = (change: Partial<ReplaceInput>): Replaced => {
  const result = replaceMember(input(change));
  if (!result.ok) throw new Error(JSON.stringify(result.violations));
  return result;
};

describe('R79: a lost member is replaced', () => {
  const reserve = [bidOf(3, 30), bidOf(4, 40), bidOf(5, 50)];

  test('by the cheapest bid that completes the set, paid its critical value; survivors keep theirs', () => {
    const result = replaced({ reserve });
    expect(result.added).toEqual([{ ...reserve[0], payment: '40' }]);
    expect(result.members).toEqual([winner(0, 1), winner(1, 2), ...result.added]);
    expect(result.reserve).toEqual(reserve.slice(1));
  });

  test('never by an owner that was lost', () => {
    const result = replaced({ reserve, barredOwners: ['owner-3'] });
    expect(result.added.map(({ bidId }) => bidId)).toEqual(['bid-4']);
    expect(result.reserve.map(({ bidId }) => bidId)).toEqual(['bid-5']);
  });

  test('never by one that clashes with a survivor', () => {
    const clashing = [bidOf(3, 1, { region: 'region-0' }), bidOf(4, 1, { asn: 64_513 }), bidOf(5, 50)];
    expect(replaced({ reserve: clashing }).added.map(({ bidId }) => bidId)).toEqual(['bid-5']);
  });

  test('the last one possible is paid a tenth of the ceiling more than the dearest survivor asks', () => {
    const last = replaced({ reserve: [bidOf(3, 30), bidOf(4, 1001)] });
    expect(last.added[0]?.payment).toBe('102');
    // Whoever asks for more than that is not asked, for those who stay can do the job.
    expect(replaced({ reserve: [bidOf(3, 102)] }).added[0]?.payment).toBe('102');
    expect(replaceMember(input({ reserve: [bidOf(3, 103)] }))).toMatchObject({ ok: false });
  });

  test('up to the ceiling where those who stay cannot do the job, or two results have to be decided', () => {
    const alone = replaced({ survivors: [winner(0, 1)], reserve: [bidOf(3, 30), bidOf(4, 990)] });
    expect(alone.added.map(({ payment }) => payment)).toEqual(['1000', '1000']);
    expect(replaced({ tier: 'silver', add: 1, reserve: [bidOf(3, 990)] }).added[0]?.payment).toBe('1000');
    expect(replaceMember(input({ reserve: [bidOf(4, 1001)] }))).toMatchObject({ ok: false });
  });

  test('a tenth of the ceiling more than the dearest beside it also there, as long as such bids complete the set', () => {
    const alone = replaced({
      survivors: [winner(0, 1)],
      reserve: [bidOf(3, 30), bidOf(4, 40), bidOf(5, 990)],
    });
    expect(alone.added.map(({ price, payment }) => [price, payment])).toEqual([
      ['40', '130'],
      ['30', '140'],
    ]);
    expect(replaced({ tier: 'silver', add: 1, reserve: [bidOf(3, 30)] }).added[0]?.payment).toBe('102');
  });

  test('in quorums of version 1 up to the ceiling whoever stays, and survivors keep what they were awarded', () => {
    const lost = { reserve: [bidOf(3, 300)], barredOwners: ['owner-9'], quorumVersion: 1 };
    const { members } = replaced(lost);
    expect(members.map(({ payment }) => payment)).toEqual(['2', '3', '1000']);
  });

  test('settled 38: survivors are rivals, too: who alone completes their set may not be alone in the market', () => {
    // Beside the second survivor, 4 and 5 would do for the first and 3 together; they clash with the first alone.
    const reserve = [bidOf(3, 30), bidOf(4, 40, { region: 'region-0' }), bidOf(5, 50, { asn: 64_512 })];
    const result = replaced({ reserve });
    expect(result.added.map(({ bidId, payment }) => [bidId, payment])).toEqual([['bid-3', '89']]);
    // 3 is bought up to there, in a market of everybody left, and no further.
    const wins = (price: bigint): boolean => {
      const bids = [bidOf(0, 1), bidOf(1, 2), { ...bidOf(3, 0), price: toMicro(price) }, ...reserve.slice(1)];
      const market = award({ tier: 'gold', ceiling, bids, typeUnavailability: TYPE_UNAVAILABILITY, seed });
      return market.ok && market.winners.some(({ bidId }) => bidId === 'bid-3');
    };
    expect([wins(88n), wins(90n)]).toEqual([true, false]);
  });

  test('risk counts as at the award: by surcharges, which nobody is paid', () => {
    const surcharged = (index: number, price: number, surcharge: number): OpenedBid =>
      bidOf(index, price, { surcharge: toMicro(BigInt(surcharge)), newcomer: true });
    const bids = [surcharged(3, 30, 100), surcharged(4, 40, 7), surcharged(5, 50, 0)];
    expect(replaced({ reserve: bids }).added).toEqual([{ ...bids[1], payment: '43' }]);
    const market = (price: bigint) => {
      const everybody = [bidOf(0, 1), bidOf(1, 2), ...bids].map((bid) =>
        bid.bidId === 'bid-4' ? { ...bid, price: toMicro(price) } : bid,
      );
      const result = award({
        tier: 'gold',
        ceiling,
        bids: everybody,
        typeUnavailability: TYPE_UNAVAILABILITY,
        seed,
      });
      return result.ok && result.winners.some(({ bidId }) => bidId === 'bid-4');
    };
    expect([market(42n), market(44n)]).toEqual([true, false]);
  });

  test('a newcomer only where nobody else completes the set', () => {
    const fresh = bidOf(3, 1, { newcomer: true });
    expect(replaced({ reserve: [fresh, bidOf(4, 40)] }).added[0]?.bidId).toBe('bid-4');
    expect(replaced({ reserve: [fresh] }).added[0]?.bidId).toBe('bid-3');
  });

  test('two at once', () => {
    const result = replaced({ survivors: [winner(0, 1)], reserve });
    expect(result.added.map(({ bidId }) => bidId).toSorted()).toEqual(['bid-3', 'bid-4']);
    expect(result.added.map(({ payment }) => payment)).toEqual(['50', '50']);
  });
});

describe('who stays', () => {
  const lost = { barredOwners: ['owner-2'] };

  test('is paid as in a market without the owner lost: its own place there has become dearer, too', () => {
    const reserve = [bidOf(3, 30), bidOf(4, 40), bidOf(5, 50)];
    const { members } = replaced({ ...lost, reserve });
    expect(members.map(({ bidId, payment }) => [bidId, payment])).toEqual([
      ['bid-0', '40'],
      ['bid-1', '40'],
      ['bid-3', '40'],
    ]);
  });

  test('and never less than it was awarded', () => {
    const survivors = [{ ...winner(0, 1), payment: toMicro('700') }, winner(1, 2)];
    const { members } = replaced({ ...lost, survivors, reserve: [bidOf(3, 30), bidOf(4, 40)] });
    expect(members[0]?.payment).toBe('700');
  });

  test('by a tenth of the ceiling more at most, and with nobody to take the lost place as well', () => {
    const result = replaceMember(input({ ...lost, reserve: [bidOf(3, 500)] }));
    expect(result).toMatchObject({ ok: false });
    expect(result.members.map(({ payment }) => payment)).toEqual(['102', '103']);
  });
});

describe('without a feasible replacement', () => {
  test('the violation says what is missing, beside what the survivors still promise', () => {
    const result = replaceMember(input({ reserve: [bidOf(3, 1, { region: 'region-0' })] }));
    expect(result).toMatchObject({ ok: false, violations: [{ rule: 'distinct-region', have: 2, need: 3 }] });
    expect(result.predictedAvailability).toBeLessThan(TIERS.gold.availability);
  });

  test('an empty reserve: have 2, need 3', () => {
    const result = replaceMember(input({}));
    expect(result).toMatchObject({ ok: false });
    expect(!result.ok && result.violations).toContainEqual(
      expect.objectContaining({ rule: 'member-count', have: 2, need: 3 }),
    );
  });
});

test('settled 19: one member more decides between two results', () => {
  const result = replaced({ tier: 'silver', add: 1, reserve: [bidOf(3, 30), bidOf(4, 40)] });
  expect(result.members).toHaveLength(3);
  expect(result.added[0]?.bidId).toBe('bid-3');
});

test('quorum.churn: whatever is lost in whatever order, a re-formed set keeps every rule', () => {
  let reformed = 0;
  fc.assert(
    fc.property(fc.nat(), fc.constantFrom(...TIER_NAMES), (number, tier) => {
      const random = generator(number);
      const bids = marketOf(random, {
        bids: 16,
        asns: 16,
        regions: 16,
        unavailability: [0.001, 0.01],
        highestPrice: 1000,
      });
      const first = award({ tier, ceiling, bids, typeUnavailability: TYPE_UNAVAILABILITY, seed });
      if (!first.ok) return;
      let members: readonly Winner[] = first.winners;
      let reserve: readonly OpenedBid[] = bids.filter(
        (bid) => !members.some(({ bidId }) => bidId === bid.bidId),
      );
      const barredOwners: string[] = [];
      for (let epoch = 2; epoch < 8; epoch++) {
        const lost = members[Math.floor(random() * members.length)] as Winner;
        barredOwners.push(lost.owner);
        const survivors = members.filter((member) => member !== lost);
        const next = replaceMember({ tier, survivors, reserve, barredOwners, ceiling, seed });
        if (!next.ok) return;
        reformed++;
        expect(next.members.some(({ owner }) => barredOwners.includes(owner))).toBe(false);
        for (const { price, payment } of next.added) {
          expect(units(payment) >= units(price) && units(payment) <= units(ceiling)).toBe(true);
        }
        for (const [index, { payment, ...bid }] of survivors.entries()) {
          const { payment: now, ...same } = next.members[index] as Winner;
          expect(same).toEqual(bid);
          expect(units(now) >= units(payment) && units(now) <= units(ceiling)).toBe(true);
        }
        const verdict = checkSet({
          tier,
          members: next.members.map(memberOf),
          typeUnavailability: TYPE_UNAVAILABILITY,
          offeredTypes: new Set([...next.members, ...next.reserve].map((bid) => bid.infrastructureType)).size,
        });
        expect(verdict).toMatchObject({ meetsTier: true, predictedAvailability: next.predictedAvailability });
        ({ members, reserve } = next);
      }
    }),
    { numRuns: 150 },
  );
  expect(reformed).toBeGreaterThan(100);
});
