import { describe, expect, test } from 'vitest';
import { specify } from '../../test/support/decider.ts';
import { type ClaimChip, chipDecider, REFUSALS_RECORDED } from './decide.ts';
import { type ChipEvent, chipStream } from './events.ts';
import type { ChipState } from './fold.ts';

const { given } = specify<ChipState, ClaimChip, ChipEvent>({
  initial: chipDecider.initialState,
  evolve: chipDecider.evolve,
  decide: chipDecider.decide,
});

const AT = '2026-01-01T00:00:00.000Z';
const now = { now: AT };
const CHIP = 'c1'.repeat(64);
const claim = (providerId: string): ClaimChip => ({
  type: 'claim',
  chipId: CHIP,
  label: 'simulated',
  providerId,
});
const bound: ChipEvent = {
  type: 'chip.bound',
  machineVersion: 1,
  chipId: CHIP,
  label: 'simulated',
  providerId: 'provider-1',
  boundAt: AT,
};
const refused = (providerId: string): ChipEvent => ({
  type: 'chip.claim-refused',
  providerId,
  refusedAt: AT,
});

describe('settled 42: a chip', () => {
  test('serves the first provider that attests with it, as often as that attests', () => {
    given().when(claim('provider-1'), now).then(bound);
    given(bound).when(claim('provider-1'), now).thenNothing();
  });

  test('is refused to a second provider, which is recorded once', () => {
    given(bound).when(claim('provider-2'), now).then(refused('provider-2'));
    given(bound, refused('provider-2')).when(claim('provider-2'), now).thenNothing();
    expect(given(bound, refused('provider-2')).state).toMatchObject({ providerId: 'provider-1' });
  });

  test('records so many names and no more', () => {
    const names = Array.from({ length: REFUSALS_RECORDED }, (_, index) => refused(`provider-x${index}`));
    given(bound, ...names)
      .when(claim('provider-y'), now)
      .thenNothing();
    given(bound, ...names.slice(1))
      .when(claim('provider-y'), now)
      .then(refused('provider-y'));
  });

  test('has one stream under its root, and another under another root', () => {
    expect(chipStream('simulated', CHIP)).toMatch(/^chip-[0-7][0-9A-HJKMNP-TV-Z]{25}$/);
    expect(chipStream('simulated', CHIP)).toBe(chipStream('simulated', CHIP));
    expect(chipStream('hardware', CHIP)).not.toBe(chipStream('simulated', CHIP));
    expect(chipStream('simulated', 'c2'.repeat(64))).not.toBe(chipStream('simulated', CHIP));
  });

  test('that refuses before it serves is a broken stream', () => {
    expect(() => given(refused('provider-2'))).toThrow(/serves nobody/);
  });
});
