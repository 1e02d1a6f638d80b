import { z } from 'zod';
import type { DestroyEnclave } from '../../../domain/enclave/commands.ts';
import type { Enclave } from '../../../domain/enclave/enclave.ts';
import { reject } from '../../../domain/errors.ts';
import type { CommandAccepted } from '../../../domain/ports/lifecycles.ts';
import { foldStream } from '../../../domain/registry.ts';
import { defineRoute, respond } from '../../define-route.ts';
import type { RouteDependencies } from '../../dependencies.ts';
import { idOf, position } from '../../fields.ts';

/** Ends an enclave without a job. Its creator is charged for the time used, and gets the rest of the rent back. */
export const terminateEnclave = ({ lifecycles, store }: Pick<RouteDependencies, 'lifecycles' | 'store'>) => {
  const ending = (enclaveId: string, { state, position: at }: CommandAccepted) =>
    respond(200, { enclave_id: enclaveId, state, position: at });

  return defineRoute(
    {
      method: 'POST',
      path: '/v1/fog/tee/terminate',
      summary: 'End an enclave that you created, and its rent',
      tag: 'tee',
      access: ['submitter', 'engine'],
      body: z.strictObject({ enclave_id: idOf('enclave') }),
      responses: { 200: z.object({ enclave_id: z.string(), state: z.string(), position }) },
      errors: ['RESOURCE_NOT_FOUND', 'CONFLICT'],
    },
    async ({ principal, meta }, { body }) => {
      const enclaveId = body.enclave_id;
      const events = await store.readStream(enclaveId);
      const enclave = events.length > 0 ? (foldStream(enclaveId, events).context as Enclave) : null;
      if (!enclave || enclave.submitter !== principal.id || enclave.jobId !== null) {
        return reject('RESOURCE_NOT_FOUND', `no enclave ${enclaveId}`, [
          { field: 'enclave_id', rule: 'an enclave that you created, and that no job has' },
        ]);
      }
      const command: DestroyEnclave = { type: 'destroy', reason: 'terminated by its creator' };
      const outcome = await lifecycles.execute(enclaveId, command, meta(enclaveId));
      return outcome.ok ? ending(enclaveId, outcome) : outcome;
    },
    async ({ commandId }, { body }) => {
      const outcome = await lifecycles.decided(body.enclave_id, commandId);
      return outcome && ending(body.enclave_id, outcome);
    },
  );
};
