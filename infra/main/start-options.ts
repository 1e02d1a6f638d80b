import { parseArgs } from 'node:util';
import type { LocalCounts } from './local-home.ts';

/** More would be a mistake on one machine. */
const MOST = 16;

/**
 * What `npm start --` takes.
 * @throws Error naming the option and its rule
 */
export const startOptions = (
  args: readonly string[],
): {
  readonly counts: LocalCounts;
  readonly sample: boolean;
  readonly temporalUi: boolean;
  /** Folder of the programs that were made of the sources as they are (bin/programs.mjs); null: they run as they are. */
  readonly programs: string | null;
} => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      workers: { type: 'string', default: '1' },
      apis: { type: 'string', default: '1' },
      projectors: { type: 'string', default: '1' },
      'no-sample': { type: 'boolean', default: false },
      'temporal-ui': { type: 'boolean', default: false },
      programs: { type: 'string' },
    },
  });
  const count = (name: 'workers' | 'apis' | 'projectors'): number => {
    const number = /^\d+$/.test(values[name]) ? Number(values[name]) : 0;
    if (number < 1 || number > MOST) throw new Error(`--${name}: a whole number from 1 to ${MOST}`);
    return number;
  };
  return {
    counts: { workers: count('workers'), apis: count('apis'), projectors: count('projectors') },
    sample: !values['no-sample'],
    temporalUi: values['temporal-ui'],
    programs: values.programs ?? null,
  };
};
