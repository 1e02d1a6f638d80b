import type { RouteDependencies } from '../../../api/dependencies.ts';
import { createMetrics } from '../../../api/metrics.ts';
import { openApiDocument } from '../../../api/openapi.ts';
import { createRoutes } from '../../../api/routes/index.ts';

/** The OpenAPI document as it is checked in. Routes are only declared, so they need none of what they would serve with. */
export const describeApi = async (): Promise<string> => {
  const declared = { metrics: createMetrics({ lag: async () => ({}) }) } as unknown as RouteDependencies;
  return `${JSON.stringify(await openApiDocument(createRoutes(declared)), null, 2)}\n`;
};
