import { Hono } from 'hono';
import { generateSpecs } from 'hono-openapi';
import type { Route } from './define-route.ts';
import { describeOperation } from './describe-operation.ts';
import { describeRealtime, REALTIME_PATH } from './realtime/describe.ts';
import { routerPath } from './router-path.ts';

export const TITLE = 'AIVillage Enhanced API';
export const VERSION = '3.0.0';
export const DESCRIPTION = 'Distributed Multi-Agent AI Platform API';

/** The OpenAPI 3.1 document of `routes`: what is declared is what is served. */
export const openApiDocument = async (routes: readonly Route[]): Promise<object> => {
  const api = new Hono();
  for (const route of routes) {
    api.on(route.method, routerPath(route.path), describeOperation(route), (c) => c.body(null));
  }
  api.get(REALTIME_PATH, describeRealtime(), (c) => c.body(null));
  const document = await generateSpecs(api, {
    excludeStaticFile: false,
    documentation: {
      openapi: '3.1.0',
      info: { title: TITLE, version: VERSION, description: DESCRIPTION, license: { name: 'Apache-2.0' } },
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
          apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
        },
      },
    },
  });
  // Paths in one order, whatever order the routes were mounted in: the checked-in document only changes with a route.
  const paths = Object.fromEntries(Object.entries(document.paths).sort(([a], [b]) => (a < b ? -1 : 1)));
  return { ...document, paths };
};
