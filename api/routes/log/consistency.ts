import { bytesToHex } from '@noble/hashes/utils.js';
import { z } from 'zod';
import { reject } from '../../../domain/errors.ts';
import { defineRoute, respond } from '../../define-route.ts';
import type { RouteDependencies } from '../../dependencies.ts';
import { sha256 } from '../../fields.ts';
import { beyond, pathSchema, treeSize } from './inclusion.ts';

export const getConsistency = ({ transparency }: Pick<RouteDependencies, 'transparency'>) =>
  defineRoute(
    {
      method: 'GET',
      path: '/v1/log/consistency',
      summary: 'Proof that one state of the log is the start of another',
      tag: 'log',
      access: 'open',
      query: z.strictObject({ from: treeSize, to: treeSize }),
      responses: {
        200: z.object({ from: treeSize, to: treeSize, root1: sha256, root2: sha256, path: pathSchema }),
      },
      errors: ['RESOURCE_NOT_FOUND'],
    },
    async (_context, { query }) => {
      const [from, to] = [BigInt(query.from), BigInt(query.to)];
      const newest = await transparency.newest();
      if (!newest || to > newest.size) return beyond('to', newest);
      if (from > to)
        return reject('INVALID_REQUEST', 'the log does not shrink', [
          { field: 'from', rule: 'at most the value of to' },
        ]);
      const [root1, root2, path] = await Promise.all([
        transparency.rootAt(from),
        transparency.rootAt(to),
        transparency.consistency(from, to),
      ]);
      return respond(200, {
        from: query.from,
        to: query.to,
        root1: bytesToHex(root1),
        root2: bytesToHex(root2),
        path: path.map(bytesToHex),
      });
    },
  );
