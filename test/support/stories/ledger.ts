import type { EntryKind, LedgerEvent } from '../../../domain/ledger/events.ts';
import { toMicro } from '../../../domain/money.ts';
import { type Draw, type Story } from './parts.ts';

export const ledgerStory = (draw: Draw): Story => {
  const kinds: EntryKind[] = ['hold', 'release', 'payment', 'stake'];
  const accounts = [
    'available:subject-a',
    'available:subject-b',
    'escrow:auction-1',
    'deposit:bid-1',
    'stake:provider-1',
  ];
  const events: LedgerEvent[] = [];
  const post = (kind: EntryKind, from: string, to: string, amount: string): void => {
    events.push({
      type: 'ledger.entry-posted',
      machineVersion: 1,
      entryId: `entry-${events.length}`,
      kind,
      cause: `cause-${events.length}@0`,
      postings: [
        { account: from, amount: toMicro(-BigInt(amount)) },
        { account: to, amount: toMicro(amount) },
      ],
    });
  };
  for (const name of accounts) post('credit', 'external', name, '1000000000000000000000');
  for (let count = draw(12); count > 0; count--) {
    const from = draw(accounts.length);
    const to = (from + 1 + draw(accounts.length - 1)) % accounts.length;
    post(
      kinds[draw(kinds.length)] as EntryKind,
      accounts[from] as string,
      accounts[to] as string,
      String(1 + draw(1000)),
    );
  }
  return { stream: 'ledger-main', events };
};
