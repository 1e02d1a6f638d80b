import { z } from 'zod';
import { DEFAULT_MEMORY_MB } from '../../../domain/enclave/limits.ts';
import { defineRoute, respond } from '../../define-route.ts';
import type { RouteDependencies } from '../../dependencies.ts';
import { queryNumber } from '../../fields.ts';
import { answerQuote, memoryMb, quoteFields, quoteSchema } from './quote.ts';

export const getQuote = (pricing: Pick<RouteDependencies, 'quotes' | 'tRef'>) =>
  defineRoute(
    {
      method: 'GET',
      path: '/v1/fog/pricing/quote',
      summary: 'A price for a tier and an amount of work',
      tag: 'pricing',
      access: 'any',
      query: z.strictObject({
        tier: quoteFields.tier,
        required_tops: queryNumber(quoteFields.required_tops),
        utilization: queryNumber(quoteFields.utilization),
        duration_seconds: queryNumber(quoteFields.duration_seconds),
        memory_mb: queryNumber(memoryMb).default(DEFAULT_MEMORY_MB),
      }),
      responses: { 200: quoteSchema },
      errors: [],
    },
    async (context, { query }) => {
      const quote = await answerQuote(pricing, query, context);
      return quote.ok ? respond(200, quote.value) : quote;
    },
  );
