import { z } from 'zod';
import { reject } from '../../../domain/errors.ts';
import { transfer } from '../../../domain/ledger/entry.ts';
import { account } from '../../../domain/ledger/events.ts';
import { getBalance } from '../../../projections/ledger/queries.ts';
import { defineRoute, respond } from '../../define-route.ts';
import type { RouteDependencies } from '../../dependencies.ts';
import { amount, idOf, micro, position } from '../../fields.ts';
import { readAfter } from '../../read-after.ts';

/** Books money that came from outside. A reference is booked once per account. */
export const creditAccount = ({
  books,
  db,
  checkpoints,
  credentials,
}: Pick<RouteDependencies, 'books' | 'db' | 'checkpoints' | 'credentials'>) =>
  defineRoute(
    {
      method: 'POST',
      path: '/v1/ledger/credit',
      summary: 'Record an outside deposit',
      tag: 'ledger',
      access: ['admin'],
      body: z.strictObject({
        account_id: idOf('subject'),
        amount,
        reference: z.string().regex(/^[\w.:-]{1,100}$/, '1 to 100 letters, digits, and . _ : -'),
      }),
      responses: { 201: z.object({ account_id: z.string(), balance: micro, position }) },
      errors: ['RESOURCE_NOT_FOUND', 'CONFLICT'],
    },
    async ({ principal, commandId, traceparent, now }, { body }) => {
      const owner = body.account_id;
      if (!(await credentials.exists(owner))) {
        return reject('RESOURCE_NOT_FOUND', `no account ${owner}`, [
          { field: 'account_id', rule: 'an enrolled principal' },
        ]);
      }
      const cause = `credit:${body.reference}`;
      const entry = transfer('credit', account.external, account.available(owner), body.amount, cause, owner);
      const posted = await books.post([entry], {
        occurredAt: now,
        actor: principal.id,
        correlationId: owner,
        causationId: commandId,
        traceparent,
      });
      if (!posted.ok) return posted;
      const ready = await readAfter(checkpoints, ['ledger'], posted.position);
      if (!ready.ok) return ready;
      const balance = await getBalance(db, account.available(owner));
      return respond(201, { account_id: owner, balance, position: posted.position });
    },
  );
