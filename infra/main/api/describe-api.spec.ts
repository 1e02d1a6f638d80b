import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { RouteDependencies } from '../../../api/dependencies.ts';
import { createRoutes } from '../../../api/routes/index.ts';
import { appFor } from '../../../test/support/api.ts';
import { describeApi } from './describe-api.ts';

interface Operation {
  readonly operationId: string;
  readonly responses: Readonly<Record<string, object>>;
  readonly 'x-roles'?: readonly string[];
}
type Paths = Readonly<Record<string, Readonly<Record<string, Operation>>>>;

const document = JSON.parse(await describeApi()) as { openapi: string; info: object; paths: Paths };
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({
    name: `${method.toUpperCase()} ${path}`,
    operation,
  })),
);

/** Pages of the documentation itself, and the middleware. */
const UNDOCUMENTED = ['GET /docs', 'GET /docs/reference.js', 'ALL /*'];

describe('the OpenAPI document', () => {
  it('R8: is the one that is checked in (npm run openapi writes it)', async () => {
    const checkedIn = await readFile(join(import.meta.dirname, '../../../openapi.json'), 'utf8');
    expect(checkedIn).toBe(await describeApi());
    expect(document).toMatchObject({
      openapi: '3.1.0',
      info: {
        title: 'AIVillage Enhanced API',
        version: '3.0.0',
        description: 'Distributed Multi-Agent AI Platform API',
      },
    });
  });

  it('R11: describes every route that is served, and no other', () => {
    const metrics = { mediaType: 'text/plain' };
    const { api } = appFor(createRoutes({ metrics } as unknown as RouteDependencies));
    const served = new Set(
      api.routes.map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`),
    );
    for (const name of UNDOCUMENTED) expect(served.delete(name)).toBe(true);
    expect([...served].sort()).toEqual(operations.map(({ name }) => name).sort());
  });

  it('names the problem form for every error, and the roles of every route', () => {
    for (const { name, operation } of operations) {
      if (name === 'GET /ws') continue;
      expect(operation['x-roles'], name).toBeDefined();
      const { responses } = operation;
      expect(JSON.stringify(responses['500']), name).toContain('#/components/schemas/Problem');
    }
    expect(new Set(operations.map(({ operation }) => operation.operationId)).size).toBe(operations.length);
  });
});
