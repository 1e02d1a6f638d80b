import { describe, expect, test } from 'vitest';
import { ATTACKS, studyTrust } from './trust.ts';

const TASKS = 20_000;
const SEED = 1;
/** Of the tasks without any gate 23 % fail under most attacks, and 30 % go to the attackers. */
const MOST_FAILED = 0.075;
const MOST_TAKEN = 0.12;

describe('trust, gate and award of the product together', () => {
  test.each(ATTACKS)(
    '%s: attackers get few tasks, also those that ask almost nothing',
    (attack) => {
      for (const underbid of [false, true]) {
        const study = studyTrust(attack, { weighted: true, gated: true, underbid }, TASKS, SEED);
        expect(study.failed).toBeLessThan(MOST_FAILED);
        expect(study.taken).toBeLessThan(MOST_TAKEN);
      }
    },
    120_000,
  );

  test('collusion: a dozen jobs of a friend buy less than when they counted one for one', () => {
    const taken = (weighted: boolean) =>
      studyTrust('collusion', { weighted, gated: true, underbid: true }, TASKS, SEED).taken;
    expect(taken(true)).toBeLessThan(taken(false));
  }, 120_000);
});
