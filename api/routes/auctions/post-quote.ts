import { z } from 'zod';
import { DEFAULT_MEMORY_MB } from '../../../domain/enclave/limits.ts';
import { defineRoute, respond } from '../../define-route.ts';
import type { RouteDependencies } from '../../dependencies.ts';
import { answerQuote, memoryMb, quoteFields, quoteSchema } from './quote.ts';

export const postQuote = (pricing: Pick<RouteDependencies, 'quotes' | 'tRef'>) =>
  defineRoute(
    {
      method: 'POST',
      path: '/v1/fog/pricing/quote',
      summary: 'The same quote, asked for by a body',
      tag: 'pricing',
      access: 'any',
      body: z.strictObject({ ...quoteFields, memory_mb: memoryMb.default(DEFAULT_MEMORY_MB) }),
      responses: { 200: quoteSchema },
      errors: [],
    },
    async (context, { body }) => {
      const quote = await answerQuote(pricing, body, context);
      return quote.ok ? respond(200, quote.value) : quote;
    },
  );
