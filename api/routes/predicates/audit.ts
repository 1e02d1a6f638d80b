import { z } from 'zod';
import type { SetupLabel } from '../../../domain/predicate/transcript.ts';
import { defineRoute, respond } from '../../define-route.ts';
import type { RouteDependencies } from '../../dependencies.ts';
import { sha256 } from '../../fields.ts';
import { setupSchema } from './fields.ts';
import { judgeProof, reasonOf } from './judge.ts';
import { claimedProof } from './verify.ts';

/** Proofs of one audit; each costs some 25 ms of processor time. */
const MAX_PROOFS = 20;

interface Check {
  readonly check: string;
  readonly ok: boolean;
  readonly reason?: string;
  readonly setup?: SetupLabel;
}

/** The scope that proofs of an audit are made in: they speak of these data and of nothing else. */
export const auditScope = (auditType: string, dataHash: string): string => `audit/${auditType}/${dataHash}`;

/**
 * A compliance audit made of predicate proofs: compliant when every proof holds, speaks of the audited data and comes
 * from another holder, and when there are enough of them. A compliant audit uses its proofs up, all in one step.
 */
export const auditPredicates = ({
  now,
  acceptances,
  publishedKeys: keys,
}: Pick<RouteDependencies, 'acceptances' | 'now' | 'publishedKeys'>) =>
  defineRoute(
    {
      method: 'POST',
      path: '/v1/fog/zk/audit',
      summary: 'A compliance audit made of predicate proofs',
      tag: 'zk',
      access: 'any',
      body: z.strictObject({
        audit_type: z.string().regex(/^[a-z0-9_-]{1,60}$/, 'lower-case letters, digits, - and _'),
        data_hash: sha256,
        proofs: z.array(claimedProof).min(1).max(MAX_PROOFS),
        audit_parameters: z
          .strictObject({
            minimum_holders: z
              .int()
              .min(1)
              .max(MAX_PROOFS)
              .optional()
              .describe('as many as proofs by default'),
          })
          .default({}),
      }),
      responses: {
        200: z.object({
          audit_id: z.string(),
          audit_type: z.string(),
          result: z.enum(['compliant', 'non_compliant']),
          checks: z.array(
            z.object({
              check: z.string(),
              ok: z.boolean(),
              reason: z.string().optional(),
              setup: setupSchema.optional(),
            }),
          ),
        }),
      },
      errors: ['RESOURCE_NOT_FOUND', 'CONFLICT'],
    },
    async ({ principal, commandId, traceparent, newId }, { body }) => {
      const scope = auditScope(body.audit_type, body.data_hash);
      const checks: Check[] = [];
      const verified: {
        context: Parameters<typeof acceptances.accept>[0][number]['context'];
        nullifier: string;
      }[] = [];
      for (const [index, claimed] of body.proofs.entries()) {
        const judged = await judgeProof(keys, claimed, {
          verifier: principal.id,
          now: now(),
          field: `proofs.${index}.`,
        });
        if (!judged.ok) return judged;
        const { verdict, context, setup } = judged;
        // A proof expires; that it was accepted in time, by this very command, stays true.
        const nullifier = claimed.public_inputs[0] ?? '';
        const isAccepted =
          verdict.nullifier === null && (await acceptances.earlier(scope, nullifier, commandId));
        const judgedReason = isAccepted ? undefined : reasonOf(verdict);
        const reason = context.scope === scope ? judgedReason : 'other_scope';
        const holds = reason === undefined;
        checks.push({ check: `proofs.${index}`, ok: holds, ...(reason !== undefined && { reason }), setup });
        if (holds) verified.push({ context, nullifier });
      }
      const minimum = body.audit_parameters.minimum_holders ?? body.proofs.length;
      const holders = new Set(verified.map(({ nullifier }) => nullifier)).size;
      checks.push({ check: 'minimum_holders', ok: holders >= minimum });

      if (checks.every(({ ok }) => ok)) {
        const accepted = await acceptances.accept(verified, { commandId, actor: principal.id, traceparent });
        if (!accepted.ok) {
          const used = checks[accepted.proof] as Check;
          checks[accepted.proof] = { ...used, ok: false, reason: accepted.reason };
        }
      }
      return respond(200, {
        audit_id: newId('audit'),
        audit_type: body.audit_type,
        result: checks.every(({ ok }) => ok) ? 'compliant' : 'non_compliant',
        checks,
      });
    },
  );
