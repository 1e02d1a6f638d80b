import { z } from 'zod';
import { reject } from '../../../domain/errors.ts';
import type { Uploads } from '../../../domain/ports/artifacts.ts';
import { defineRoute, respond } from '../../define-route.ts';
import { sha256 } from '../../fields.ts';

/** Ends what the caller keeps: the bytes go once nobody keeps them. */
export const removeArtifact = ({ artifacts }: { artifacts: Pick<Uploads, 'remove'> }) =>
  defineRoute(
    {
      method: 'DELETE',
      path: '/v1/artifacts/{sha256}',
      summary: 'Delete an artefact of yours that no job and no enclave has used of late',
      tag: 'artifacts',
      access: 'any',
      params: z.strictObject({ sha256 }),
      responses: { 200: z.object({ sha256, deleted: z.literal(true) }) },
      errors: ['RESOURCE_NOT_FOUND', 'CONFLICT'],
    },
    async ({ principal }, { params }) => {
      switch (await artifacts.remove(params.sha256, principal.id)) {
        case 'removed':
          return respond(200, { sha256: params.sha256, deleted: true as const });
        case 'used':
          return reject('CONFLICT', 'a job or an enclave began to use it within the last 60 days', [
            { field: 'sha256', rule: 'not used for 60 days' },
          ]);
        case 'unknown':
          return reject('RESOURCE_NOT_FOUND', 'no such artefact', [
            { field: 'sha256', rule: 'one of yours' },
          ]);
      }
    },
  );
