import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { INFRASTRUCTURE_TYPES, MEMBER_UNAVAILABILITY } from '../tiers.ts';
import { memberUnavailability } from './unavailability.ts';

const anyType = fc.constantFrom(...INFRASTRUCTURE_TYPES);

describe('unavailability of a member', () => {
  it('starts at the prior of its type', () => {
    for (const type of INFRASTRUCTURE_TYPES) {
      expect(memberUnavailability(type, { runs: 0, losses: 0 })).toBe(MEMBER_UNAVAILABILITY[type]);
    }
  });

  it('falls with every run that ends well, rises with every loss, and stays a probability', () => {
    fc.assert(
      fc.property(anyType, fc.nat(10_000), fc.nat(10_000), (type, kept, losses) => {
        const runs = kept + losses;
        const now = memberUnavailability(type, { runs, losses });
        expect(now).toBeGreaterThanOrEqual(0);
        expect(now).toBeLessThanOrEqual(1);
        expect(memberUnavailability(type, { runs: runs + 1, losses })).toBeLessThan(now);
        expect(memberUnavailability(type, { runs: runs + 1, losses: losses + 1 })).toBeGreaterThan(now);
      }),
    );
  });
});
