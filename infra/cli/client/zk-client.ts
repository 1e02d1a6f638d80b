import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Transport } from './transport.ts';

const transcriptSchema = z.object({ keyHash: z.string(), wasmHash: z.string(), zkeyHash: z.string() });

const submittedSchema = z.object({
  circuit_id: z.string(),
  state: z.enum(['compiling', 'setting-up', 'ready', 'failed']),
  progress: z.number(),
  failure: z.string().nullable(),
  key_hash: z.string().nullable(),
  verifier: z.string(),
});

const circuitsSchema = z.object({
  predicates: z.array(
    z.object({
      circuit_id: z.string(),
      verification_key: z.record(z.string(), z.unknown()).nullable(),
      transcript: transcriptSchema.nullable(),
    }),
  ),
});

const verifiedSchema = z.object({
  result: z.boolean(),
  reason: z.string().optional(),
  verification_id: z.string().nullable(),
  nullifier: z.string().nullable(),
  setup: z.string(),
  verification_time_ms: z.number(),
});

export type SubmittedPredicate = z.output<typeof submittedSchema>;
export type PublishedCircuit = z.output<typeof circuitsSchema>['predicates'][number];
export type VerifiedPredicate = z.output<typeof verifiedSchema>;

/** The part of the REST API that holders and verifiers use. No secret ever goes there. Every method throws CliError. */
export interface ZkClient {
  submit(request: { readonly predicate: string; readonly schema?: object }): Promise<SubmittedPredicate>;
  /** The circuit with its key as published; null when there is none. */
  circuit(circuitId: string): Promise<PublishedCircuit | null>;
  file(circuitId: string, name: string): Promise<Uint8Array>;
  verify(claim: object): Promise<VerifiedPredicate>;
}

const FILE_TIMEOUT_MS = 300_000;

export const createZkClient = (transport: Transport): ZkClient => {
  const post = <S extends z.ZodType>(path: string, body: object, schema: S) =>
    transport.json(
      {
        method: 'POST',
        path,
        headers: { 'content-type': 'application/json', 'idempotency-key': randomUUID() },
        body: JSON.stringify(body),
      },
      schema,
    );

  return {
    submit: (request) => post('/v1/fog/zk/predicate', request, submittedSchema),
    circuit: async (circuitId) => {
      const query = new URLSearchParams({ circuit_id: circuitId }).toString();
      const { predicates } = await transport.json(
        { method: 'GET', path: `/v1/fog/zk/predicates?${query}` },
        circuitsSchema,
      );
      return predicates.find(({ circuit_id }) => circuit_id === circuitId) ?? null;
    },
    file: (circuitId, name) =>
      transport.bytes({
        method: 'GET',
        path: `/v1/fog/zk/predicates/${encodeURIComponent(circuitId)}/${name}`,
        timeoutMs: FILE_TIMEOUT_MS,
      }),
    verify: (claim) => post('/v1/fog/zk/verify', claim, verifiedSchema),
  };
};
