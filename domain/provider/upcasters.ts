import type { Upcasters } from '../upcasters.ts';

/** Shapes that providers' events had before. */
export const providerUpcasters: Upcasters = {
  // Version 1 left to the envelope when the stake was locked; unbonding counts from there.
  'provider.stake-locked': { 1: (data, { occurredAt }) => ({ ...data, at: occurredAt }) },
};
