import { meteringCases } from './cases/metering.ts';
import type { Suite } from './harness.ts';

/** Programs metered beside the same programs as they were submitted. The unit is CPU ms of a run: lower is better. */
export const suite: Suite = {
  name: 'sandbox',
  open: async () => ({ cases: await meteringCases(), close: async () => undefined }),
};
