import { bytesToHex } from '@noble/hashes/utils.js';
import { z } from 'zod';
import { defineRoute, respond } from '../../define-route.ts';
import type { RouteDependencies } from '../../dependencies.ts';
import { instant, sha256 } from '../../fields.ts';
import { anchorSchema, anchorView } from './anchor.ts';
import { beyond, pathSchema, treeSize } from './inclusion.ts';

/** Older ones follow from these: a larger head contains them. */
const MOST_ANCHORS = 5;

/** The newest signed tree head. It trails the log by a fraction of a second. */
export const getCheckpoint = ({
  anchored,
  transparency,
}: Pick<RouteDependencies, 'anchored' | 'transparency'>) =>
  defineRoute(
    {
      method: 'GET',
      path: '/v1/log/checkpoint',
      summary: 'The newest signed head of the log, consistent with an older one',
      tag: 'log',
      access: 'open',
      query: z.strictObject({
        from_size: treeSize.optional().describe('size of a tree that the caller knows'),
      }),
      responses: {
        200: z.object({
          checkpoint: z.string().describe('signed note (c2sp.org/tlog-checkpoint)'),
          size: treeSize,
          root: sha256,
          public_key: z.string().describe('name+id+base64; pin it rather than trusting this answer'),
          signed_at: instant,
          consistency: pathSchema.describe('from from_size to size; empty without from_size'),
          anchors: z
            .array(anchorSchema)
            .describe('the largest heads that another chain holds, largest first'),
        }),
      },
      errors: ['RESOURCE_NOT_FOUND'],
    },
    async (_context, { query }) => {
      const newest = await transparency.newest();
      const from = query.from_size === undefined ? null : BigInt(query.from_size);
      if (!newest) return beyond('checkpoint', newest);
      if (from !== null && from > newest.size) return beyond('from_size', newest);
      const consistency = from === null ? [] : await transparency.consistency(from, newest.size);
      return respond(200, {
        checkpoint: newest.note,
        size: String(newest.size),
        root: bytesToHex(newest.root),
        public_key: newest.publicKey,
        signed_at: newest.signedAt,
        consistency: consistency.map(bytesToHex),
        anchors: (await anchored.newest(MOST_ANCHORS)).map(anchorView),
      });
    },
  );
