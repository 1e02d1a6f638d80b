import { aggregateOf } from '../../domain/event.ts';
import { type EntryPosted, LEDGER_STREAM } from '../../domain/ledger/events.ts';
import { add, isMicro, type Micro, units, ZERO } from '../../domain/money.ts';
import type { SlaEvent } from '../../domain/sla/events.ts';
import type { ChainEntry } from '../event-store/chain.ts';
import { dataOf } from './log.ts';
import type { Problem } from './report.ts';

/** What providers gave back under SLAs, and what they owe. */
export interface SlaTotals {
  readonly paid: Micro;
  readonly outstanding: Micro;
}

interface Account {
  readonly granted: Micro;
  readonly moved: Micro;
  readonly outstanding: Micro;
}

const NONE: Account = { granted: ZERO, moved: ZERO, outstanding: ZERO };

/** An amount that is none is a problem of its event. */
const amountOf = (value: unknown): Micro => (isMicro(value) ? value : ZERO);

/** `<stream>@<revision>` → stream. */
const streamOf = (eventId: string): string => eventId.slice(0, eventId.lastIndexOf('@'));

/** Holds the credits that the log grants against the money that the ledger moved because of them. */
export const createSlaTally = () => {
  const accounts = new Map<string, Account>();
  const change = (stream: string, next: (before: Account) => Account): void => {
    accounts.set(stream, next(accounts.get(stream) ?? NONE));
  };

  return {
    take(entry: ChainEntry): void {
      if (aggregateOf(entry.stream) === 'sla') {
        const event = dataOf<SlaEvent>(entry);
        if (event)
          change(entry.stream, ({ granted, moved }) => ({
            granted: add(granted, amountOf(event.paid)),
            moved,
            outstanding: amountOf(event.outstanding),
          }));
      } else if (entry.stream === LEDGER_STREAM && entry.envelope.includes('"kind":"sla-credit"')) {
        const posted = dataOf<EntryPosted>(entry);
        if (posted && aggregateOf(posted.cause) === 'sla') {
          const received = posted.postings
            .map(({ amount }) => amountOf(amount))
            .filter((amount) => units(amount) > 0n);
          change(streamOf(posted.cause), (before) => ({ ...before, moved: add(before.moved, ...received) }));
        }
      }
    },
    totals: (): SlaTotals => {
      const all = [...accounts.values()];
      return {
        paid: add(...all.map(({ granted }) => granted)),
        outstanding: add(...all.map(({ outstanding }) => outstanding)),
      };
    },
    problems: (): Problem[] =>
      [...accounts]
        .filter(([, { granted, moved }]) => granted !== moved)
        .map(([stream, { granted, moved }]) => ({
          check: 'ledger',
          subject: stream,
          difference: `credits of ${granted} were granted, ${moved} moved`,
        })),
  };
};
