import type { AttributeSchema } from './attributes.ts';

/** The schema of predicates that name none. */
export const STANDARD_SCHEMA: AttributeSchema = {
  name: 'aivillage-person-1',
  attributes: [
    { name: 'age', type: 'integer', bits: 8 },
    /** ISO 3166-1 alpha-2 by custom; any text is one. */
    { name: 'country', type: 'text' },
    { name: 'trust', type: 'decimal', bits: 10, scale: 3 },
  ],
};
