import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { CreateEnclave } from '../../../domain/enclave/commands.ts';
import {
  type EnclaveAttested,
  type EnclaveEvent,
  type EnclaveFailed,
  PLATFORMS,
  type Platform,
} from '../../../domain/enclave/events.ts';
import { ok, type Result, reject } from '../../../domain/errors.ts';
import { domainEventOf, type RecordedEvent } from '../../../domain/event.ts';
import { nameOf } from '../../../domain/schema.ts';
import { listProviders } from '../../../projections/providers/queries.ts';
import { defineRoute, respond } from '../../define-route.ts';
import type { RouteDependencies } from '../../dependencies.ts';
import { idOf, instant, position, sha256 } from '../../fields.ts';
import { createMemoryRule } from '../artifacts/module-memory.ts';
import { WASM_MEDIA_TYPE } from '../artifacts/put.ts';
import { inPlace } from '../places.ts';

/** How long an enclave without a job lives. */
const LIFETIME_SECONDS = 3600;
/** How long the saga of creation and attestation may take. */
const SAGA_MS = 60_000;

export const isPlatform = (name: string): name is Platform => (PLATFORMS as readonly string[]).includes(name);

export const unsupported = (name: string) =>
  reject('UNSUPPORTED_PLATFORM', `no such platform: ${name.slice(0, 50)}`, [
    { field: 'platform', rule: `one of ${PLATFORMS.join(', ')}` },
  ]);

type Deps = Pick<
  RouteDependencies,
  'artifacts' | 'db' | 'enclavePlaces' | 'lifecycles' | 'providers' | 'store' | 'watch' | 'requireHardware'
>;

interface Ending {
  /** Where it was created, as the first answer said, whoever would be chosen now. */
  readonly providerId: string;
  readonly recorded: RecordedEvent;
  readonly event: EnclaveAttested | EnclaveFailed;
}

/** Creates an enclave and attests it in one saga: what does not verify is destroyed before the answer. */
export const createEnclave = (deps: Deps) => {
  const { artifacts, db, enclavePlaces, lifecycles, providers, store, watch, requireHardware } = deps;

  /** The wanted provider, or one that offers the platform: which of them is a matter of the command's id. */
  const hostFor = async (
    platform: Platform,
    providerId: string | undefined,
    commandId: string,
  ): Promise<Result<{ providerId: string; owner: string }>> => {
    if (providerId !== undefined) {
      const provider = await providers.find(providerId);
      if (!provider)
        return reject('RESOURCE_NOT_FOUND', `no provider ${providerId}`, [
          { field: 'provider_id', rule: 'a registered provider' },
        ]);
      return ok({ providerId, owner: provider.owner });
    }
    const offers = (await listProviders(db, { listed: true })).filter(
      ({ attestations, presence }) =>
        presence === 'up' && attestations.some((attestation) => attestation.platform === platform),
    );
    const draw = createHash('sha256').update(commandId).digest().readUInt32BE();
    const chosen = offers[draw % offers.length];
    if (!chosen) return reject('TEE_UNAVAILABLE', `no host offers ${platform} now`);
    return ok({ providerId: chosen.providerId, owner: chosen.owner });
  };

  const ending = async (enclaveId: string): Promise<Ending | null> => {
    let providerId = '';
    for (const recorded of await store.readStream(enclaveId)) {
      const event = domainEventOf<EnclaveEvent>(recorded);
      if (event.type === 'enclave.requested') providerId = event.providerId;
      if (event.type === 'enclave.attested' || event.type === 'enclave.failed')
        return { providerId, recorded, event };
    }
    return null;
  };

  /** Waits for the end of the saga. */
  const created = async (enclaveId: string, signal: AbortSignal) => {
    const end = await watch(enclaveId, () => ending(enclaveId), { timeoutMs: SAGA_MS, signal });
    if (!end) return reject('RESOURCE_UNAVAILABLE', `${enclaveId} is still being created`);
    const { providerId, event, recorded } = end;
    if (event.type === 'enclave.failed') {
      const broken = event.steps
        .filter((step) => !step.ok)
        .map(({ step, code }) => ({ field: step, rule: code }));
      return reject(event.code, event.message, broken.length > 0 ? broken : undefined);
    }
    return respond(201, {
      enclave_id: enclaveId,
      provider_id: providerId,
      attestation: {
        status: 'verified',
        report_id: event.reportHash,
        label: event.label,
        expires_at: event.expiresAt,
      },
      evidence_hash: event.reportHash,
      position: String(recorded.position),
    });
  };

  const memoryErrors = createMemoryRule(artifacts);

  return defineRoute(
    {
      method: 'POST',
      path: '/v1/fog/tee/create',
      summary: 'Create and attest an enclave',
      tag: 'tee',
      access: ['submitter', 'engine'],
      body: z.strictObject({
        code_hash: sha256,
        platform: nameOf(100),
        provider_id: idOf('provider').optional(),
        memory_mb: z.int().min(1),
        cpu_cores: z.int().min(1).default(1),
        allow_simulated: z.boolean().default(false),
        config: z
          .strictObject({
            measurement_policy: z.literal('strict').optional(),
            network_isolation: z.literal(true).optional(),
            allow_debug: z.literal(false).optional(),
          })
          .optional(),
      }),
      responses: {
        201: z.object({
          enclave_id: z.string(),
          provider_id: z.string(),
          attestation: z.object({
            status: z.literal('verified'),
            report_id: z.string(),
            label: z.enum(['hardware', 'simulated']),
            expires_at: instant,
          }),
          evidence_hash: z.string(),
          position,
        }),
      },
      errors: [
        'UNSUPPORTED_PLATFORM',
        'ATTESTATION_FAILED',
        'TEE_UNAVAILABLE',
        'RESOURCE_NOT_FOUND',
        'INSUFFICIENT_BALANCE',
        'CONFLICT',
      ],
    },
    async ({ principal, commandId, newId, meta, signal }, { body }) => {
      if (!isPlatform(body.platform)) return unsupported(body.platform);
      const module = await artifacts.find(body.code_hash, principal.id);
      if (module?.mediaType !== WASM_MEDIA_TYPE) {
        return reject('RESOURCE_NOT_FOUND', 'no such module', [
          { field: 'code_hash', rule: 'a module that you stored' },
        ]);
      }
      const tooSmall = await memoryErrors(body.code_hash, body.memory_mb);
      if (tooSmall.length > 0) return reject('INVALID_REQUEST', 'the module needs more memory', tooSmall);
      const host = await hostFor(body.platform, body.provider_id, commandId);
      if (!host.ok) return host;
      const enclaveId = newId('enclave');
      const command: CreateEnclave = {
        type: 'create',
        enclaveId,
        ...host.value,
        submitter: principal.id,
        jobId: null,
        platform: body.platform,
        codeHash: body.code_hash,
        config: { memoryMb: body.memory_mb, cpuCores: body.cpu_cores, allowDebug: false },
        allowSimulated: body.allow_simulated && !requireHardware,
        lifetimeSeconds: LIFETIME_SECONDS,
      };
      await artifacts.use(principal.id, [body.code_hash]);
      const place = { principal: principal.id, stream: enclaveId, field: 'enclaves', what: 'enclaves' };
      const outcome = await inPlace(enclavePlaces, place, () =>
        lifecycles.open('enclave', enclaveId, command, meta(enclaveId)),
      );
      return outcome.ok ? created(enclaveId, signal) : outcome;
    },
    async ({ commandId, newId, signal }) => {
      const enclaveId = newId('enclave');
      return (await lifecycles.decided(enclaveId, commandId)) && created(enclaveId, signal);
    },
  );
};
