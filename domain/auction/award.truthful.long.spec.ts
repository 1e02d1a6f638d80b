import { expect, test } from 'vitest';
import { randomDeviations } from './truthful.fixture.ts';

test('auction.truthful.property: 100,000 random profiles with diversity caps, no single deviation gains', () => {
  const { gains, won, changed } = randomDeviations(100_000);
  expect(gains).toEqual([]);
  expect(won).toBeGreaterThan(20_000);
  expect(changed).toBeGreaterThan(5000);
}, 600_000);
