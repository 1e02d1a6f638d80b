import { type LedgerEntry, transfer } from '../ledger/entry.ts';
import { account } from '../ledger/events.ts';
import type { ProviderEvent } from './events.ts';
import type { ProviderState } from './fold.ts';

/** The stake leaves the owner's account in the same step in which it is locked. */
export const movements = (
  provider: ProviderState,
  event: ProviderEvent,
  eventId: string,
): readonly LedgerEntry[] =>
  provider && event.type === 'provider.stake-locked'
    ? [
        transfer(
          'stake',
          account.available(provider.owner),
          account.stake(provider.providerId),
          event.amount,
          eventId,
        ),
      ]
    : [];
