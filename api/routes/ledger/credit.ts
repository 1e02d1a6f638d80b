import { z } from 'zod';
import { reject } from '../../../domain/errors.ts';
import { transfer } from '../../../domain/ledger/entry.ts';
import { account } from '../../../domain/ledger/events.ts';
import { defineRoute, respond } from '../../define-route.ts';
import type { RouteDependencies } from '../../dependencies.ts';
import { amount, idOf, micro, position } from '../../fields.ts';

/** Books money that came from outside. A reference is booked once per account. */
export const creditAccount = ({ books, credentials }: Pick<RouteDependencies, 'books' | 'credentials'>) =>
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
      const context = {
        occurredAt: now,
        actor: principal.id,
        correlationId: owner,
        causationId: commandId,
        traceparent,
      };
      const posted = await books.post([entry], context, commandId);
      if (!posted.ok) return posted;
      // From the books, not from the read model: what is booked is told, whether or not a projector runs.
      const balance = await books.balanceOf(account.available(owner));
      return respond(201, { account_id: owner, balance, position: posted.position });
    },
  );
