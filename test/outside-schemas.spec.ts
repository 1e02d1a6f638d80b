import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { RouteDependencies } from '../api/dependencies.ts';
import { createMetrics } from '../api/metrics.ts';
import { createRoutes } from '../api/routes/index.ts';
import {
  discoveryRequestSchema,
  engineReplySchemas,
  nodeReplySchemas,
  nodeRequestSchema,
  peerReplySchemas,
  peerRequestSchema,
  workRequestSchema,
} from '../domain/mesh/schema.ts';
import { foreignJson, nameOf, textOf } from '../domain/schema.ts';
import { eventSchemas } from '../domain/schemas.ts';
import { nodeConfigSchema } from '../infra/node/config.ts';
import { outsideFaults } from './support/outside-schemas.ts';

/** No string, number or foreign JSON that comes from outside is declared without its gate. */

const routes = createRoutes({
  metrics: createMetrics({ lag: async () => ({}) }),
  devProver: {},
} as unknown as RouteDependencies);

describe('what comes from outside passes the gate', () => {
  test.each(routes.map((route) => [`${route.method} ${route.path}`, route] as const))('%s', (_, route) => {
    const { params, query, body } = route;
    const faults = Object.entries({ params, query, body }).flatMap(([name, schema]) =>
      schema ? outsideFaults(schema, name) : [],
    );
    expect(faults).toEqual([]);
  });

  test.each([
    ['requests of nodes', discoveryRequestSchema],
    ['work of nodes', workRequestSchema],
    ['requests to nodes', nodeRequestSchema],
    ['requests among nodes', peerRequestSchema],
    ...Object.entries({ ...nodeReplySchemas, ...engineReplySchemas, ...peerReplySchemas }).map(
      ([name, schema]) => [`the reply to ${name}`, schema] as const,
    ),
  ] as const)('mesh: %s', (_, schema) => {
    expect(outsideFaults(schema)).toEqual([]);
  });

  test('the configuration of a node', () => {
    expect(outsideFaults(nodeConfigSchema)).toEqual([]);
  });

  test.each(Object.entries(eventSchemas))('stored events of %s', (_, schema) => {
    expect(outsideFaults(schema)).toEqual([]);
  });
});

test.each([
  [z.string(), ['text without the gate', 'text of any length']],
  [z.string().max(5), ['text without the gate']],
  [z.string().regex(/^a-.*$/), ['text without the gate', 'text of any length']],
  [z.string().regex(/^[^a]$/), ['text without the gate']],
  [z.string().regex(/[a-z]/), ['text without the gate', 'text of any length']],
  [z.string().regex(/^[a-z.]+$/), ['text of any length']],
  [z.number().positive(), ['a number without bounds']],
  [z.unknown(), ['foreign JSON without the gate']],
  [z.custom<string>(), ['foreign JSON without the gate']],
  [z.object({ a: z.array(z.string().max(3)).optional() }), ['text without the gate']],
  [
    z.record(z.string(), z.number()),
    ['text without the gate', 'text of any length', 'a number without bounds'],
  ],
  [
    z.strictObject({
      a: textOf(5),
      b: nameOf(5),
      c: foreignJson,
      d: z.int(),
      e: z.string().regex(/^[0-9a-f]{4}$/),
    }),
    [],
  ],
])('the walk itself finds what is wrong (%#)', (schema, faults) => {
  expect(outsideFaults(schema).map((fault) => fault.replace(/^[^:]*: /, ''))).toEqual(faults);
});
