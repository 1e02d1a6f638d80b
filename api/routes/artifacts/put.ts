import { z } from 'zod';
import { ok, type Result, reject } from '../../../domain/errors.ts';
import { METERING_VERSION } from '../../../domain/metering/costs.ts';
import {
  type Artifacts,
  MAX_ARTIFACT_BYTES,
  type Upload,
  type Uploads,
} from '../../../domain/ports/artifacts.ts';
import type { MeteredModule, MeteredModules, Metering } from '../../../domain/ports/metered-modules.ts';
import { passing } from '../../../infra/memory/release.ts';
import { createWaitingPlaces } from '../../../infra/rate-limits/waiting-places.ts';
import type { Inspection } from '../../../infra/sandbox/inspection.ts';
import { defineRoute, respond } from '../../define-route.ts';
import { sha256 } from '../../fields.ts';
import { noPlace } from '../../no-place.ts';
import { artifactSchema, artifactView } from './artifact.ts';

export const WASM_MEDIA_TYPE = 'application/wasm';
const OTHER_MEDIA_TYPE = 'application/octet-stream';
const WASM_MAGIC = Buffer.from('\0asm', 'latin1');

/** Uploads at once, of which a process holds a few chunks each, and those that wait, of which it reads nothing yet. */
const UPLOADS = { total: 12, waiting: 24, each: 4, patienceMs: 20_000 };

/** A module by its declared type or by its first bytes: neither way round the inspection. */
const isModule = ({ head }: Upload, mediaType: string | undefined): boolean =>
  mediaType?.toLowerCase().startsWith(WASM_MEDIA_TYPE) === true ||
  WASM_MAGIC.equals(head.subarray(0, WASM_MAGIC.length));

export const putArtifact = ({
  artifacts,
  inspectModule,
  meteredModules,
}: {
  artifacts: Pick<Uploads, 'receive'> & Pick<Artifacts, 'find'>;
  inspectModule: Inspection;
  meteredModules: MeteredModules;
}) => {
  const uploads = createWaitingPlaces(UPLOADS);

  /**
   * What these bytes were found to be when their keeper stored them before. Nobody else is spared the inspection: the time it
   * takes would tell that somebody has this module.
   */
  const foundBefore = async (hash: string, owner: string): Promise<MeteredModule | null> =>
    (await artifacts.find(hash, owner)) && meteredModules.find(hash, METERING_VERSION);

  const keep = async (
    upload: Upload,
    { hash, owner, mediaType }: { hash: string; owner: string; mediaType: string | undefined },
  ) => {
    if (upload.sha256 !== hash) {
      return reject('INVALID_REQUEST', 'the bytes have another hash', [
        { field: 'sha256', rule: 'the SHA-256 of the body' },
      ]);
    }
    const module = isModule(upload, mediaType);
    const known = module ? await foundBefore(hash, owner) : null;
    const inspected: Result<Metering | null> = module && !known ? await inspectModule(upload.read) : ok(null);
    if (!inspected.ok) return inspected;
    const kept = await upload.keep(owner, module ? WASM_MEDIA_TYPE : OTHER_MEDIA_TYPE);
    if (!kept.ok) return kept;
    const metered = known ?? (inspected.value && (await meteredModules.record(hash, inspected.value)));
    return respond(200, artifactView(kept.value, metered));
  };

  return defineRoute(
    {
      method: 'PUT',
      path: '/v1/artifacts/{sha256}',
      summary: 'Store a module or an input under its hash',
      tag: 'artifacts',
      access: ['submitter'],
      params: z.strictObject({ sha256 }),
      binaryBody: { maxBytes: MAX_ARTIFACT_BYTES },
      responses: { 200: artifactSchema },
      errors: ['INVALID_REQUEST', 'CONFLICT', 'RESOURCE_UNAVAILABLE'],
    },
    async ({ principal, header }, { params, body }) => {
      const leave = await uploads.take(principal.id);
      if (typeof leave === 'string') return noPlace(leave, 'uploads');
      try {
        const upload = await artifacts.receive(passing(body), params.sha256);
        try {
          const mediaType = header('content-type');
          return await keep(upload, { hash: params.sha256, owner: principal.id, mediaType });
        } finally {
          await upload.discard();
        }
      } finally {
        leave();
      }
    },
  );
};
