import { describe, expect, test } from 'vitest';
import { toMicro } from '../money.ts';
import { TYPE_UNAVAILABILITY } from '../tiers.ts';
import { award } from './award.ts';
import { awardFaults, type LoggedAward } from './check-award.ts';
import { bidOf } from './market.fixture.ts';
import { surchargesOf } from './surcharge.ts';

const opened = {
  tier: 'gold',
  ceiling: toMicro('1000'),
  winners: 3,
  seed: 'ab'.repeat(32),
  rule: 'risk-priced',
} as const;
const risks = [0, 1, 2, 3, 4].map((index) => ({
  bidId: `bid-${index}`,
  positive: index === 0 ? 1 : 12,
  negative: index === 0 ? 4 : 0,
}));
const surcharges = surchargesOf(
  risks.map((evidence, index) => ({ owner: `owner-${index}`, evidence })),
  opened,
);
const bids = surcharges.map((surcharge, index) => bidOf(index, 100 + index, { surcharge }));
const result = award({ ...opened, bids, typeUnavailability: TYPE_UNAVAILABILITY });
if (!result.ok) throw new Error(result.message);
const logged: LoggedAward = { opened, opening: { bids, risks }, awarded: result };
const [first, ...others] = result.winners;
if (!first) throw new Error('nobody won');

describe('an award that is logged', () => {
  test('follows from the events beside it', () => {
    expect(awardFaults(logged)).toEqual([]);
    // Or the test shows nothing: risk cost the cheapest bid its place.
    expect(result.winners.map(({ bidId }) => bidId)).toEqual(['bid-1', 'bid-2', 'bid-3']);
  });

  const free = bidOf(0, 100, { surcharge: toMicro('0') });
  const better = { bidId: 'bid-0', positive: 12, negative: 0 };
  const dearer = { ...first, payment: toMicro('999') };

  test.each([
    ['a surcharge let off', { opening: { bids: bids.with(0, free), risks } }, /surcharge of bid-0 is 0/],
    ['evidence bettered', { opening: { bids, risks: risks.with(0, better) } }, /by its evidence 0$/],
    ['evidence missing', { opening: { bids, risks: risks.slice(1) } }, /without the evidence/],
    ['a payment raised', { awarded: { ...result, winners: [dearer, ...others] } }, /to bid-1 for 999,/],
    [
      'another winner',
      { awarded: { ...result, winners: [{ ...first, bidId: 'bid-0' }, ...others] } },
      /to bid-0/,
    ],
    ['a total of its own', { awarded: { ...result, total: toMicro('1') } }, /^its total is 1,/],
    ['too few bids', { opening: { bids: bids.slice(0, 3), risks: risks.slice(0, 3) } }, /NOT_ENOUGH_BIDS/],
  ] satisfies [string, Partial<LoggedAward>, RegExp][])('%s is found', (_, change, fault) => {
    expect(awardFaults({ ...logged, ...change }).join('; ')).toMatch(fault);
  });

  test('of an older rule is not judged', () => {
    expect(
      awardFaults({ ...logged, opened: { ...opened, rule: 'critical-value' }, opening: { bids: [] } }),
    ).toEqual([]);
  });
});
