import { createHash } from 'node:crypto';
import { z } from 'zod';
import { reject } from '../../../domain/errors.ts';
import { type Artifacts, MAX_ARTIFACT_BYTES } from '../../../domain/ports/artifacts.ts';
import type { MeteredModules } from '../../../domain/ports/metered-modules.ts';
import type { Inspection } from '../../../infra/sandbox/inspection.ts';
import { defineRoute, respond } from '../../define-route.ts';
import { instant, sha256 } from '../../fields.ts';

export const WASM_MEDIA_TYPE = 'application/wasm';
const OTHER_MEDIA_TYPE = 'application/octet-stream';
const WASM_MAGIC = Buffer.from('\0asm', 'latin1');

export const artifactSchema = z
  .object({
    sha256,
    owner: z.string(),
    size: z.int(),
    media_type: z.string(),
    signature: z.string().describe('countersignature of the engine: kid.signature'),
    created_at: instant,
    metering: z
      .object({
        version: z.int(),
        sha256: sha256.describe('of the instrumented module, which runs in place of this one'),
        signature: z.string().describe('countersignature of the engine: kid.signature'),
      })
      .nullable()
      .describe(
        'of a module: what makes its runs deterministic and counts their fuel; whoever has the module can make it anew',
      ),
  })
  .meta({ id: 'Artifact' });

/** A module by its declared type or by its first bytes: neither way round the inspection. */
const isModule = (bytes: Uint8Array, mediaType: string | undefined): boolean =>
  mediaType?.toLowerCase().startsWith(WASM_MEDIA_TYPE) === true ||
  WASM_MAGIC.equals(bytes.subarray(0, WASM_MAGIC.length));

export const putArtifact = ({
  artifacts,
  inspectModule,
  meteredModules,
}: {
  artifacts: Artifacts;
  inspectModule: Inspection;
  meteredModules: MeteredModules;
}) =>
  defineRoute(
    {
      method: 'PUT',
      path: '/v1/artifacts/{sha256}',
      summary: 'Store a module or an input under its hash',
      tag: 'artifacts',
      access: ['submitter'],
      params: z.strictObject({ sha256 }),
      binaryBody: { maxBytes: MAX_ARTIFACT_BYTES },
      responses: { 200: artifactSchema },
      errors: ['INVALID_REQUEST'],
    },
    async ({ principal, header }, { params, body }) => {
      if (createHash('sha256').update(body).digest('hex') !== params.sha256) {
        return reject('INVALID_REQUEST', 'the bytes have another hash', [
          { field: 'sha256', rule: 'the SHA-256 of the body' },
        ]);
      }
      const module = isModule(body, header('content-type'));
      const inspected = module ? await inspectModule(body) : null;
      if (inspected && !inspected.ok) return inspected;
      const artifact = await artifacts.put(body, principal.id, module ? WASM_MEDIA_TYPE : OTHER_MEDIA_TYPE);
      const metered = inspected && (await meteredModules.record(artifact.sha256, inspected.value));
      return respond(200, {
        sha256: artifact.sha256,
        owner: artifact.owner,
        size: artifact.size,
        media_type: artifact.mediaType,
        signature: artifact.signature,
        created_at: artifact.createdAt,
        metering: metered && {
          version: metered.metering.version,
          sha256: metered.metering.moduleHash,
          signature: metered.signature,
        },
      });
    },
  );
