import { expectTypeOf, test } from 'vitest';
import type { z } from 'zod';
import type { quoteSchema as apiQuote } from '../../../api/routes/auctions/quote.ts';
import type { jobSchema as apiJob } from '../../../api/routes/jobs/job.ts';
import type { jobSchema, quoteSchema } from './schema.ts';

test('the API answers with all that the command line reads', () => {
  expectTypeOf<z.output<typeof apiJob>>().toExtend<z.input<typeof jobSchema>>();
  expectTypeOf<z.output<typeof apiQuote>>().toExtend<z.input<typeof quoteSchema>>();
});
