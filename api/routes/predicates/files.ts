import { z } from 'zod';
import { reject } from '../../../domain/errors.ts';
import { defineRoute, respond } from '../../define-route.ts';
import type { RouteDependencies } from '../../dependencies.ts';
import { circuitId } from './fields.ts';

const FILES = ['circuit.wasm', 'proving.zkey'] as const;

/** What a holder needs to prove at home. The hashes are in the transcript, which is in the log. */
export const getPredicateFile = ({
  artifacts,
  publishedKeys: keys,
}: Pick<RouteDependencies, 'artifacts' | 'publishedKeys'>) =>
  defineRoute(
    {
      method: 'GET',
      path: '/v1/fog/zk/predicates/{circuit_id}/{file}',
      summary: 'Fetch the witness program or the proving key of a circuit',
      tag: 'zk',
      access: 'any',
      params: z.strictObject({ circuit_id: circuitId, file: z.enum(FILES) }),
      responses: { 200: { mediaType: 'application/octet-stream', description: 'the file' } },
      errors: ['RESOURCE_NOT_FOUND'],
    },
    async (_context, { params }) => {
      const transcript = (await keys.find(params.circuit_id))?.circuit.key?.transcript;
      const hash = params.file === 'circuit.wasm' ? transcript?.wasmHash : transcript?.zkeyHash;
      const bytes = hash === undefined ? null : await artifacts.read(hash);
      if (!bytes) {
        return reject('RESOURCE_NOT_FOUND', 'no such circuit, or no key yet', [
          { field: 'circuit_id', rule: 'a circuit with a key' },
        ]);
      }
      return respond(200, bytes);
    },
  );
