import { beforeAll, describe, expect, test } from 'vitest';
import { type Caller, signInOperator } from './support/principals.ts';
import { sharedStack } from './support/shared-stack.ts';

const QUOTE = { tier: 'gold', required_tops: 500, utilization: 0.8, duration_seconds: 7200 } as const;

let operator: Caller;
beforeAll(async () => {
  operator = await signInOperator(await sharedStack());
});

describe('a quote', () => {
  const QUOTED = {
    h200_hours: '0.888889',
    t_ref: 900,
    tier: 'gold',
    tier_table_version: 1,
    rate: '1000000',
    ceiling: '888889',
    winners: 3,
    maximum_total: '2666667',
    privacy: 0.8,
    inputs: QUOTE,
  };

  test('R56, R57, R67: 500 TOPS at 0.8 for two hours are 0.888889 H200-hours, by GET and by POST', async () => {
    const query = new URLSearchParams(
      Object.entries(QUOTE).map(([name, value]): [string, string] => [name, String(value)]),
    );
    for (const { status, body } of [
      await operator.rest.get<{ expires_at: string }>(`/v1/fog/pricing/quote?${query.toString()}`),
      await operator.rest.post<{ expires_at: string }>('/v1/fog/pricing/quote', QUOTE),
    ]) {
      expect({ status, body }).toMatchObject({ status: 200, body: QUOTED });
      const minutes = (Date.parse(body.expires_at) - Date.now()) / 60_000;
      expect(minutes).toBeGreaterThan(14);
      expect(minutes).toBeLessThanOrEqual(15);
    }
  });

  test.each([
    ['bronze', '444444', 1],
    ['silver', '666667', 2],
    ['platinum', '1333333', 5],
  ])('R59-R62: %s has its own rate and winners', async (tier, ceiling, winners) => {
    const answer = await operator.rest.post('/v1/fog/pricing/quote', { ...QUOTE, tier });
    expect(answer).toMatchObject({ status: 200, body: { h200_hours: '0.888889', ceiling, winners } });
  });

  test('settled 41: work that is worth less than a place for half a minute is quoted with that', async () => {
    const little = { ...QUOTE, required_tops: 1, duration_seconds: 1, memory_mb: 64 };
    expect(await operator.rest.post('/v1/fog/pricing/quote', little)).toMatchObject({
      status: 200,
      body: {
        h200_hours: '0.000000',
        ceiling: '9259',
        winners: 3,
        maximum_total: '27777',
        opening_fee: '278',
      },
    });
  });
});
