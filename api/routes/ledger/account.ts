import { z } from 'zod';
import { reject } from '../../../domain/errors.ts';
import { nameOf } from '../../../domain/schema.ts';
import { getBalances, isEntryCursor, ledgerTotal, listEntries } from '../../../projections/ledger/queries.ts';
import { defineRoute, respond } from '../../define-route.ts';
import type { RouteDependencies } from '../../dependencies.ts';
import { idOf, instant, micro, pageQuery, position } from '../../fields.ts';
import { afterQuery, readAfter } from '../../read-after.ts';
import { maySee } from '../../roles.ts';

const entrySchema = z.object({
  entry_id: z.string(),
  kind: z.string(),
  account: z.string(),
  amount: micro,
  cause: z.string(),
  at: instant,
  position,
});

/** A principal's money, for itself and for auditors. Deposits tell who has bid, also while the auction is open. */
export const getAccount = ({ db, checkpoints }: Pick<RouteDependencies, 'db' | 'checkpoints'>) =>
  defineRoute(
    {
      method: 'GET',
      path: '/v1/ledger/accounts/{account_id}',
      summary: 'Balances and entries of a principal; total shows Σ of the whole ledger',
      tag: 'ledger',
      access: 'any',
      params: z.strictObject({ account_id: idOf('subject') }),
      query: z.strictObject({
        ...pageQuery,
        cursor: nameOf(200).refine(isEntryCursor, 'a next_cursor of this list').optional(),
        ...afterQuery,
      }),
      responses: {
        200: z.object({
          account_id: z.string(),
          available: micro,
          escrow: micro,
          deposits: micro,
          stake: micro,
          bonds: micro,
          entries: z.object({ items: z.array(entrySchema), next_cursor: z.string().nullable() }),
          total: micro.describe('Σ of all balances: 0'),
        }),
      },
      errors: ['RESOURCE_NOT_FOUND'],
    },
    async ({ principal }, { params, query }) => {
      const owner = params.account_id;
      const unknown = reject('RESOURCE_NOT_FOUND', `no account ${owner}`, [
        { field: 'account_id', rule: 'an account of yours' },
      ]);
      if (!maySee(principal, [owner], ['auditor'])) return unknown;
      const ready = await readAfter(checkpoints, ['ledger'], query.after);
      if (!ready.ok) return ready;
      const balances = await getBalances(db, owner);
      if (!balances) return unknown;
      const page = await listEntries(db, owner, {
        limit: query.limit,
        ...(query.cursor === undefined ? {} : { cursor: query.cursor }),
      });
      return respond(200, {
        account_id: owner,
        available: balances.available,
        escrow: balances.escrow,
        deposits: balances.deposits,
        stake: balances.stake,
        bonds: balances.bonds,
        entries: {
          items: page.items.map(({ entryId, kind, account, amount, cause, at, position: where }) => ({
            entry_id: entryId,
            kind,
            account,
            amount,
            cause,
            at,
            position: where,
          })),
          next_cursor: page.nextCursor,
        },
        total: await ledgerTotal(db),
      });
    },
  );
