import { defineRoute, respond } from '../../define-route.ts';

/** @param document The OpenAPI document as JSON text. */
export const getOpenApi = ({ document }: { document: () => Promise<string> }) =>
  defineRoute(
    {
      method: 'GET',
      path: '/openapi.json',
      summary: 'This document',
      tag: 'system',
      access: 'open',
      responses: { 200: { mediaType: 'application/json', description: 'OpenAPI 3.1' } },
      errors: [],
    },
    async () => respond(200, await document()),
  );
