import { z } from 'zod';
import type { Artifact } from '../../../domain/ports/artifacts.ts';
import type { MeteredModule } from '../../../domain/ports/metered-modules.ts';
import { instant, sha256 } from '../../fields.ts';

export const artifactSchema = z
  .object({
    sha256,
    owner: z.string().describe('you: who else stored the same bytes is not told'),
    size: z.int(),
    media_type: z.string(),
    signature: z.string().describe('countersignature of the engine: kid.signature'),
    created_at: instant,
    expires_at: instant
      .nullable()
      .describe(
        '7 days after the upload, 60 days after a job or an enclave last began to use it; null: never',
      ),
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

export const artifactView = (
  artifact: Artifact,
  metered: MeteredModule | null,
): z.input<typeof artifactSchema> => ({
  sha256: artifact.sha256,
  owner: artifact.owner,
  size: artifact.size,
  media_type: artifact.mediaType,
  signature: artifact.signature,
  created_at: artifact.createdAt,
  expires_at: artifact.expiresAt,
  metering: metered && {
    version: metered.metering.version,
    sha256: metered.metering.moduleHash,
    signature: metered.signature,
  },
});
