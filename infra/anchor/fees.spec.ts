import { expect, it } from 'vitest';
import { outbid } from './fees.ts';

it('outbids by more than the tenth that nodes ask for, and pays the market when that is more', () => {
  const market = { type: 'eip1559', maxFeePerGas: 100n, maxPriorityFeePerGas: 10n } as const;
  expect(outbid(market, null)).toEqual(market);
  expect(outbid(market, market)).toEqual({ ...market, maxFeePerGas: 126n, maxPriorityFeePerGas: 13n });
  expect(outbid(market, { ...market, maxFeePerGas: 8n, maxPriorityFeePerGas: 0n })).toEqual(market);
  expect(outbid({ type: 'legacy', gasPrice: 4n }, { type: 'legacy', gasPrice: 4n })).toEqual({
    type: 'legacy',
    gasPrice: 6n,
  });
});
