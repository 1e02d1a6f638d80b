import { z } from 'zod';
import { reject } from '../../../domain/errors.ts';
import type { Artifacts, Uploads } from '../../../domain/ports/artifacts.ts';
import { defineRoute, respond } from '../../define-route.ts';
import { sha256 } from '../../fields.ts';

/** The bytes. Only for principals that stored them or whose job made them. */
export const getArtifact = ({
  artifacts,
}: {
  artifacts: Pick<Artifacts, 'find'> & Pick<Uploads, 'chunks'>;
}) =>
  defineRoute(
    {
      method: 'GET',
      path: '/v1/artifacts/{sha256}',
      summary: 'Fetch a module, an input or an output by its hash',
      tag: 'artifacts',
      access: 'any',
      params: z.strictObject({ sha256 }),
      responses: { 200: { mediaType: 'application/octet-stream', description: 'the bytes' } },
      errors: ['RESOURCE_NOT_FOUND'],
    },
    async ({ principal }, { params }) => {
      const known = await artifacts.find(params.sha256, principal.id);
      const bytes = known && (await artifacts.chunks(params.sha256));
      if (!bytes)
        return reject('RESOURCE_NOT_FOUND', 'no such artefact', [{ field: 'sha256', rule: 'one of yours' }]);
      return respond(200, bytes);
    },
  );
