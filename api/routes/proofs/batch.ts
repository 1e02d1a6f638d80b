import { sha256 as digest } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { z } from 'zod';
import { reject } from '../../../domain/errors.ts';
import type { RecordedEvent } from '../../../domain/event.ts';
import type { AnchoredHead } from '../../../infra/anchor/anchored.ts';
import { defineRoute, respond } from '../../define-route.ts';
import type { RouteDependencies } from '../../dependencies.ts';
import { idsOf, queryNumber, sha256 } from '../../fields.ts';
import { anchorSchema, anchorView } from '../log/anchor.ts';
import { inclusionSchema, pathSchema, treeSize } from '../log/inclusion.ts';
import { type JudgeDependencies, judgeProof, recordedProof } from './judge.ts';
import { loggedIn } from './logged.ts';

/** Proofs of one request. */
const LARGEST = 100;

const resultSchema = z.object({
  proof_id: z.string(),
  valid: z.boolean(),
  reason: z.string().optional().describe('the first step that failed, and why'),
  label: z.enum(['hardware', 'simulated']).nullable(),
  logged: z.literal(true),
  anchored: z.boolean(),
  anchor: anchorSchema.nullable().describe('the smallest anchored head that contains the proof'),
  inclusion_path: pathSchema.nullable(),
  checkpoint: z.string().nullable(),
  inclusion: inclusionSchema.nullable(),
});

/** The state of many proofs at once. Changes nothing: a batch is a question. */
export const getProofBatch = ({
  anchored,
  store,
  ...deps
}: JudgeDependencies & Pick<RouteDependencies, 'anchored' | 'store'>) =>
  defineRoute(
    {
      method: 'GET',
      path: '/v1/fog/proofs/batch',
      summary: 'Verify many logged proofs; where each is in the signed log',
      tag: 'proofs',
      access: 'any',
      query: z.strictObject({
        proof_ids: idsOf('proof', LARGEST),
        batch_size: queryNumber(z.int().min(1).max(LARGEST))
          .default(LARGEST)
          .describe('proofs of this answer, in the order of their ids'),
        operation: z
          .enum(['verify', 'anchor'])
          .default('verify')
          .describe('which head the inclusion paths lead to: the newest, or the one that is anchored'),
      }),
      responses: {
        200: z.object({
          batch_id: z
            .string()
            .describe('of the proofs of this answer, whatever the order they were named in'),
          remaining: z.array(z.string()).describe('proofs beyond batch_size: ask for them next'),
          root: sha256.nullable().describe('of the newest signed head of the log'),
          size: treeSize.nullable(),
          checkpoint: z.string().nullable(),
          results: z.array(resultSchema),
        }),
      },
      errors: ['RESOURCE_NOT_FOUND', 'RESOURCE_UNAVAILABLE'],
    },
    async ({ principal }, { query }) => {
      const all = [...new Set(query.proof_ids.split(','))].sort();
      const ids = all.slice(0, query.batch_size);
      const recorded = new Map<string, RecordedEvent>();
      for (const id of ids) {
        const [event] = await store.readStream(id);
        if (!event)
          return reject('RESOURCE_NOT_FOUND', `no proof ${id}`, [
            { field: 'proof_ids', rule: 'logged proofs' },
          ]);
        recorded.set(id, event);
      }
      const { transparency } = deps;
      const newest = await transparency.newest();
      const checkpointOf = (anchor: AnchoredHead | null) =>
        anchor ? transparency.checkpointAt(anchor.size) : Promise.resolve(null);
      const results: z.input<typeof resultSchema>[] = [];
      // One after the other: a batch takes no more of the thread at once than a single proof.
      for (const [id, event] of recorded) {
        const proof = await recordedProof(deps.artifacts, event);
        const judged = await judgeProof(deps, principal.id, proof, { allowSimulated: true });
        if (!judged.ok) return judged;
        const verdict = judged.value;
        const broken = verdict.steps.find(({ ok }) => !ok);
        const anchor = await anchored.covering(event.position);
        const head = query.operation === 'verify' ? newest : await checkpointOf(anchor);
        const { inclusion, pathValid } = await loggedIn(head, transparency, event);
        results.push({
          proof_id: id,
          valid: verdict.valid && pathValid !== false,
          ...(broken ? { reason: `${broken.step}: ${broken.code}` } : {}),
          label: verdict.label,
          logged: true as const,
          anchored: anchor !== null,
          anchor: anchor && anchorView(anchor),
          inclusion_path: inclusion?.path ?? null,
          checkpoint: inclusion?.checkpoint ?? null,
          inclusion,
        });
      }
      return respond(200, {
        batch_id: `batch-${bytesToHex(digest(utf8ToBytes(ids.join(','))))}`,
        remaining: all.slice(query.batch_size),
        root: newest && bytesToHex(newest.root),
        size: newest && String(newest.size),
        checkpoint: newest?.note ?? null,
        results,
      });
    },
  );
