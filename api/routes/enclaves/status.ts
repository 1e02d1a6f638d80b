import { z } from 'zod';
import { PLATFORMS } from '../../../domain/enclave/events.ts';
import { reject } from '../../../domain/errors.ts';
import { countActiveEnclaves, getEnclave } from '../../../projections/enclaves/queries.ts';
import type { EnclaveRow } from '../../../projections/enclaves/table.ts';
import { listProviders, platformCounts } from '../../../projections/providers/queries.ts';
import { defineRoute, respond } from '../../define-route.ts';
import type { RouteDependencies } from '../../dependencies.ts';
import { idOf, instant, position } from '../../fields.ts';
import { afterQuery, readAfter } from '../../read-after.ts';
import { maySee } from '../../roles.ts';

const label = z.enum(['hardware', 'simulated']);

const enclaveSchema = z
  .object({
    enclave_id: z.string(),
    provider_id: z.string(),
    job_id: z.string().nullable(),
    platform: z.enum(PLATFORMS),
    state: z.string(),
    label: label.nullable(),
    code_hash: z.string(),
    memory_mb: z.int(),
    cpu_cores: z.int(),
    enclave_key: z.string().nullable(),
    measurement: z.string().nullable(),
    report_id: z.string().nullable(),
    steps: z.array(z.object({ step: z.string(), ok: z.boolean(), code: z.string() })),
    fault: z.string().nullable(),
    code: z.string().nullable(),
    message: z.string().nullable(),
    proof_id: z.string().nullable(),
    destroyed: z.boolean().nullable(),
    expires_at: instant,
    position,
  })
  .meta({ id: 'Enclave' });

const runtimeSchema = z.object({
  platforms: z.array(
    z.object({
      type: z.enum(PLATFORMS),
      available: z.boolean(),
      label: label.nullable(),
      reason: z.string().optional(),
    }),
  ),
  active_enclaves: z.int(),
  total_capacity: z.number().describe('TOPS of all listed providers'),
});

const shown = (row: EnclaveRow): z.input<typeof enclaveSchema> => ({
  enclave_id: row.enclaveId,
  provider_id: row.providerId,
  job_id: row.jobId,
  platform: row.platform,
  state: row.state,
  label: row.label,
  code_hash: row.codeHash,
  memory_mb: row.memoryMb,
  cpu_cores: row.cpuCores,
  enclave_key: row.enclaveKey,
  measurement: row.measurement,
  report_id: row.reportHash,
  steps: row.steps.map((step) => ({ ...step })),
  fault: row.fault,
  code: row.code,
  message: row.message,
  proof_id: row.proofId,
  destroyed: row.destroyed,
  expires_at: row.expiresAt,
  position: row.position,
});

/** The runtime: every platform, whether a host offers it now and under which root; or one enclave by its id. */
export const getTeeStatus = ({
  db,
  checkpoints,
  now,
}: Pick<RouteDependencies, 'db' | 'checkpoints' | 'now'>) => {
  const runtime = async (): Promise<z.input<typeof runtimeSchema>> => {
    const [offers, enclaves, providers] = await Promise.all([
      platformCounts(db, now()),
      countActiveEnclaves(db),
      listProviders(db, { listed: true }),
    ]);
    return {
      platforms: PLATFORMS.map((type) => {
        const found = offers.filter(({ platform, providers: count }) => platform === type && count > 0);
        const best = found.find((offer) => offer.label === 'hardware') ?? found[0];
        return best
          ? { type, available: true, label: best.label }
          : { type, available: false, label: null, reason: 'no host has attested it' };
      }),
      active_enclaves: enclaves.reduce((sum, { count }) => sum + count, 0),
      total_capacity: providers.reduce((sum, { tops }) => sum + tops, 0),
    };
  };

  return defineRoute(
    {
      method: 'GET',
      path: '/v1/fog/tee/status',
      summary: 'The enclave runtime, or one enclave',
      tag: 'tee',
      access: 'any',
      query: z.strictObject({ enclave_id: idOf('enclave').optional(), ...afterQuery }),
      responses: { 200: z.union([enclaveSchema, runtimeSchema]) },
      errors: ['RESOURCE_NOT_FOUND'],
    },
    async ({ principal }, { query }) => {
      const ready = await readAfter(checkpoints, ['enclaves', 'providers'], query.after);
      if (!ready.ok) return ready;
      if (query.enclave_id === undefined) return respond(200, await runtime());
      const enclave = await getEnclave(db, query.enclave_id);
      if (!enclave || !maySee(principal, [enclave.submitter, enclave.owner])) {
        return reject('RESOURCE_NOT_FOUND', `no enclave ${query.enclave_id}`, [
          { field: 'enclave_id', rule: 'an enclave of yours' },
        ]);
      }
      return respond(200, shown(enclave));
    },
  );
};
