import { z } from 'zod';
import { reject } from '../../../domain/errors.ts';
import { defineRoute, respond } from '../../define-route.ts';
import type { RouteDependencies } from '../../dependencies.ts';
import { idOf, position } from '../../fields.ts';
import { hasRole, maySee } from '../../roles.ts';

/** Proofs of one request. */
const LARGEST = 100;

/** Takes a wish and waits for no chain: whether it came true is seen in `proofs/batch`. */
export const anchorProofs = ({
  anchored,
  anchoring,
  ownersOf,
  store,
}: Pick<RouteDependencies, 'anchored' | 'anchoring' | 'ownersOf' | 'store'>) =>
  defineRoute(
    {
      method: 'POST',
      path: '/v1/fog/proofs/anchor',
      summary: 'Ask for logged proofs to be anchored in the next batch',
      tag: 'proofs',
      access: 'any',
      body: z.strictObject({
        proof_ids: z.array(idOf('proof')).min(1).max(LARGEST),
        priority: z
          .enum(['normal', 'urgent'])
          .default('normal')
          .describe('urgent begins a batch of its own; for auditors and operators, as it may cost money'),
      }),
      responses: {
        202: z.object({
          anchor_id: z.string(),
          proof_ids: z.array(z.string()),
          status: z.literal('pending'),
          position: position.describe('the anchored head will contain it'),
        }),
      },
      errors: ['AUTHORIZATION_FAILED', 'RESOURCE_NOT_FOUND', 'RESOURCE_UNAVAILABLE'],
    },
    async ({ principal, newId, now }, { body }) => {
      if (!anchoring) return reject('RESOURCE_UNAVAILABLE', 'nothing is anchored here: no chain is set up');
      const urgent = body.priority === 'urgent';
      if (urgent && !hasRole(principal, 'auditor', 'operator')) {
        return reject('AUTHORIZATION_FAILED', 'an urgent anchor is for auditors and operators', [
          { field: 'priority', rule: 'normal' },
        ]);
      }
      const proofIds = [...new Set(body.proof_ids)];
      let newest = 0n;
      for (const id of proofIds) {
        const owners = await ownersOf(id);
        const [event] = owners && maySee(principal, owners) ? await store.readStream(id) : [];
        if (!event) {
          return reject('RESOURCE_NOT_FOUND', `no proof ${id}`, [
            { field: 'proof_ids', rule: 'logged proofs of yours' },
          ]);
        }
        if (event.position > newest) newest = event.position;
      }
      const anchorId = newId('anchor');
      await anchored.request({
        id: anchorId,
        principal: principal.id,
        proofIds,
        position: newest,
        urgent,
        requestedAt: now,
      });
      return respond(202, {
        anchor_id: anchorId,
        proof_ids: proofIds,
        status: 'pending',
        position: String(newest),
      });
    },
  );
