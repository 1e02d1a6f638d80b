import { expect, it } from 'vitest';
import { startOptions } from './start-options.ts';

it('is one of each with a sample job unless told otherwise', () => {
  expect(startOptions([])).toEqual({
    counts: { workers: 1, apis: 1, projectors: 1 },
    sample: true,
    temporalUi: false,
    programs: null,
  });
  expect(
    startOptions(['--workers', '2', '--apis=3', '--no-sample', '--temporal-ui', '--programs=p']),
  ).toEqual({
    counts: { workers: 2, apis: 3, projectors: 1 },
    sample: false,
    temporalUi: true,
    programs: 'p',
  });
});

it.each([['0'], ['17'], ['two'], ['1.5'], ['']])('refuses %j, naming the option and its rule', (value) => {
  expect(() => startOptions([`--workers=${value}`])).toThrow('--workers: a whole number from 1 to 16');
  expect(() => startOptions([`--projectors=${value}`])).toThrow('--projectors: a whole number');
});

it('refuses what it does not know', () => {
  expect(() => startOptions(['--worker', '2'])).toThrow("'--worker'");
});
