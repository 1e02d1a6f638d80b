import { z } from 'zod';
import { chipStream } from '../../../domain/chip/events.ts';
import type { Enclave } from '../../../domain/enclave/enclave.ts';
import { ok, type Result, reject } from '../../../domain/errors.ts';
import { foldStream } from '../../../domain/registry.ts';
import { nameOf } from '../../../domain/schema.ts';
import type { AttestationReport, AttestationSubject } from '../../../infra/providers/attestor.ts';
import { defineRoute, type RequestContext, respond } from '../../define-route.ts';
import type { RouteDependencies } from '../../dependencies.ts';
import { idOf, instant, position } from '../../fields.ts';
import { ownProviders } from '../../own-providers.ts';
import { isPlatform, unsupported } from './create.ts';

const bodySchema = z
  .strictObject({
    enclave_id: idOf('enclave').optional(),
    platform: nameOf(100).optional(),
    provider_id: idOf('provider').optional().describe('which of your providers, for a platform'),
    nonce: z.string().regex(/^[0-9a-f]{64}$/, '32 bytes in lower-case hex'),
    include_certificate_chain: z.boolean().default(false),
    allow_simulated: z.boolean().default(true),
  })
  .refine((body) => (body.enclave_id === undefined) !== (body.platform === undefined), {
    path: ['enclave_id'],
    message: 'either enclave_id or platform',
  });

type Body = z.output<typeof bodySchema>;

const notYours = (field: string) =>
  reject('RESOURCE_NOT_FOUND', `no such ${field.replace('_id', '')}`, [{ field, rule: 'one of yours' }]);

/** Attests an enclave or a provider's host anew, over the caller's nonce, which works once. */
export const attest = ({
  attestor,
  checkpoints,
  db,
  nonces,
  providers,
  requireHardware,
  store,
}: Pick<
  RouteDependencies,
  'attestor' | 'checkpoints' | 'db' | 'nonces' | 'providers' | 'requireHardware' | 'store'
>) => {
  const enclaveSubject = async (enclaveId: string, caller: string): Promise<Result<AttestationSubject>> => {
    const events = await store.readStream(enclaveId);
    const folded = foldStream(enclaveId, events);
    const enclave = folded.context as Enclave;
    if (events.length === 0 || (enclave.submitter !== caller && enclave.owner !== caller)) {
      return notYours('enclave_id');
    }
    if (!enclave.enclaveKey || enclave.failure)
      return reject('CONFLICT', 'the enclave is not there to attest');
    const { providerId, enclaveKey, codeHash, config } = enclave;
    return ok({ type: 'enclave', enclaveId, providerId, enclaveKey, codeHash, config });
  };

  const hostSubject = async (
    platform: string,
    body: Body,
    caller: string,
  ): Promise<Result<AttestationSubject>> => {
    if (!isPlatform(platform)) return unsupported(platform);
    const own = body.provider_id ? ok([]) : await ownProviders({ checkpoints, db, store }, caller);
    if (!own.ok) return own;
    const [only, ...others] = own.value;
    const wanted = body.provider_id ?? (others.length === 0 ? only?.providerId : undefined);
    const provider = wanted === undefined ? null : await providers.find(wanted);
    if (provider?.owner !== caller) return notYours('provider_id');
    const { providerId, publicKey } = provider;
    return ok({ type: 'host', providerId, publicKey, platform });
  };

  /** A host that verified is listed from now on. */
  const listHost = async (
    subject: AttestationSubject,
    nonce: string,
    { label, reportHash, chipId, expiresAt }: AttestationReport,
    { principal, commandId, traceparent }: RequestContext,
  ): Promise<Result<string | null>> => {
    if (subject.type !== 'host') return ok(null);
    const { providerId, platform } = subject;
    const outcome = await providers.execute(
      providerId,
      {
        type: 'attest',
        platform,
        label,
        reportHash,
        chip: chipStream(label, chipId),
        nonce,
        expiresAt,
      },
      { actor: principal.id, commandId, traceparent },
    );
    return outcome.ok ? ok(outcome.position) : outcome;
  };

  return defineRoute(
    {
      method: 'POST',
      path: '/v1/fog/tee/attest',
      summary: 'Attest an enclave or the host of a provider',
      tag: 'tee',
      access: ['provider', 'submitter', 'engine'],
      body: bodySchema,
      responses: {
        200: z.object({
          report_id: z.string(),
          measurements: z.array(
            z.object({ type: z.string(), index: z.int(), value: z.string(), algorithm: z.literal('sha384') }),
          ),
          quote: z.string().describe('base64url report'),
          certificate_chain: z.array(z.string()).optional().describe('base64url DER, chip first'),
          status: z.literal('verified'),
          label: z.enum(['hardware', 'simulated']),
          steps: z.array(z.object({ step: z.string(), ok: z.boolean(), code: z.string() })),
          expires_at: instant,
          position: position.optional(),
        }),
      },
      errors: [
        'RESOURCE_NOT_FOUND',
        'CONFLICT',
        'ATTESTATION_FAILED',
        'UNSUPPORTED_PLATFORM',
        'TEE_UNAVAILABLE',
      ],
    },
    async (context, { body }) => {
      const caller = context.principal.id;
      const subject =
        body.enclave_id === undefined
          ? await hostSubject(body.platform ?? '', body, caller)
          : await enclaveSubject(body.enclave_id, caller);
      if (!subject.ok) return subject;
      if (!(await nonces.use(body.nonce, context.commandId))) {
        return reject('CONFLICT', 'the nonce was used before', [
          { field: 'nonce', rule: 'never used before' },
        ]);
      }
      const allowSimulated = body.allow_simulated && !requireHardware;
      const attested = await attestor.attest(subject.value, body.nonce, { allowSimulated });
      if (!attested.ok) return attested;
      const report = attested.value;
      const listed = await listHost(subject.value, body.nonce, report, context);
      if (!listed.ok) return listed;
      return respond(200, {
        report_id: report.reportHash,
        measurements: [{ type: 'launch', index: 0, value: report.measurement, algorithm: 'sha384' }],
        quote: report.report,
        ...(body.include_certificate_chain ? { certificate_chain: report.certificates } : {}),
        status: 'verified',
        label: report.label,
        steps: report.steps,
        expires_at: report.expiresAt,
        ...(listed.value === null ? {} : { position: listed.value }),
      });
    },
  );
};
