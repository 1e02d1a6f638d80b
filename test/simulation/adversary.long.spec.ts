import { expect, test } from 'vitest';
import { studyAttack, studyPeace } from './adversary/study.ts';
import { ATTACKS, LEAST_CLEARED } from './adversary.ts';

test('every honest job clears where nobody attacks', async () => {
  expect(await studyPeace()).toBe(1);
});

test.each(ATTACKS)(
  '$name: costs its victims no more than the attacker, and honest jobs clear',
  async (attack) => {
    const { cost, factor, cleared } = await studyAttack(attack);
    // An attack that never took place shows nothing; of orders that are refused it is the point.
    if (attack.name === 'free orders') expect(cost).toBe(0);
    else expect(cost).toBeGreaterThan(0);
    expect(factor).toBeLessThanOrEqual(1);
    expect(cleared).toBeGreaterThanOrEqual(LEAST_CLEARED);
  },
);
