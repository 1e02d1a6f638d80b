import { expectTypeOf, test } from 'vitest';
import type { z } from 'zod';
import type { quoteSchema as apiQuote } from '../../../api/routes/auctions/quote.ts';
import type { jobSchema as apiJob } from '../../../api/routes/jobs/job.ts';
import type { changedSchema, keyedSchema, subjectSchema } from '../../../api/routes/subjects/subject.ts';
import type { jobSchema, quoteSchema } from './schema.ts';
import type { ChangedSubject, KeyedSubject, ListedSubject } from './subject-client.ts';

test('the API answers with all that the command line reads', () => {
  expectTypeOf<z.output<typeof apiJob>>().toExtend<z.input<typeof jobSchema>>();
  expectTypeOf<z.output<typeof apiQuote>>().toExtend<z.input<typeof quoteSchema>>();
  expectTypeOf<z.output<typeof changedSchema>>().toExtend<ChangedSubject>();
  expectTypeOf<z.output<typeof keyedSchema>>().toExtend<KeyedSubject>();
  expectTypeOf<z.output<typeof subjectSchema>>().toExtend<ListedSubject>();
});
