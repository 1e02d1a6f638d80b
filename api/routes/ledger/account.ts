import { z } from 'zod';
import { reject } from '../../../domain/errors.ts';
import { add } from '../../../domain/money.ts';
import { nameOf } from '../../../domain/schema.ts';
import { getBalances, isEntryCursor, ledgerTotal, listEntries } from '../../../projections/ledger/queries.ts';
import { defineRoute, respond } from '../../define-route.ts';
import type { RouteDependencies } from '../../dependencies.ts';
import { idOf, instant, micro, pageQuery, position } from '../../fields.ts';
import { afterQuery, readAfter } from '../../read-after.ts';
import { hasRole } from '../../roles.ts';

const entrySchema = z.object({
  entry_id: z.string(),
  kind: z.string(),
  account: z.string(),
  amount: micro,
  cause: z.string(),
  at: instant,
  position,
});

/**
 * A principal's money. Whoever is not its owner sees deposits of bids as part of what is available, and no entry of an
 * open auction's: the balance would tell who has bid (settled 12).
 */
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
          deposits: micro.optional().describe('only for the owner'),
          stake: micro,
          entries: z.object({ items: z.array(entrySchema), next_cursor: z.string().nullable() }),
          total: micro.describe('Σ of all balances: 0'),
        }),
      },
      errors: ['RESOURCE_NOT_FOUND'],
    },
    async ({ principal }, { params, query }) => {
      const owner = params.account_id;
      const own = owner === principal.id;
      const unknown = reject('RESOURCE_NOT_FOUND', `no account ${owner}`, [
        { field: 'account_id', rule: 'an account of yours' },
      ]);
      if (!own && !hasRole(principal, 'auditor')) return unknown;
      const ready = await readAfter(checkpoints, ['ledger'], query.after);
      if (!ready.ok) return ready;
      const balances = await getBalances(db, owner);
      if (!balances) return unknown;
      const page = await listEntries(db, owner, {
        limit: query.limit,
        hideOpenBids: !own,
        ...(query.cursor === undefined ? {} : { cursor: query.cursor }),
      });
      return respond(200, {
        account_id: owner,
        available: own ? balances.available : add(balances.available, balances.deposits),
        escrow: balances.escrow,
        ...(own ? { deposits: balances.deposits } : {}),
        stake: balances.stake,
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
