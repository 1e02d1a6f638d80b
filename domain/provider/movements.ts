import { type LedgerEntry, transfer } from '../ledger/entry.ts';
import { account } from '../ledger/events.ts';
import { add, negate, subtract } from '../money.ts';
import type { ProviderEvent, StakeSlashed } from './events.ts';
import type { Provider, ProviderState } from './fold.ts';

/** Shares of a slashed stake reach their principals in one entry; what is nobody's share is kept apart. */
const slash = ({ providerId }: Provider, event: StakeSlashed, eventId: string): LedgerEntry => {
  const given = add(...event.shares.map(({ amount }) => amount));
  return {
    entryId: `${eventId}/slash`,
    kind: 'slash',
    cause: eventId,
    postings: [
      { account: account.stake(providerId), amount: negate(event.amount) },
      ...event.shares.map(({ principal, amount }) => ({ account: account.available(principal), amount })),
      { account: account.slashed, amount: subtract(event.amount, given) },
    ],
  };
};

/** The stake leaves an account in the same step in which the event says so. */
export const movements = (
  provider: ProviderState,
  event: ProviderEvent,
  eventId: string,
): readonly LedgerEntry[] => {
  if (!provider) return [];
  const available = account.available(provider.owner);
  const stake = account.stake(provider.providerId);
  switch (event.type) {
    case 'provider.stake-locked':
      return [transfer('stake', available, stake, event.amount, eventId)];
    case 'provider.stake-withdrawn':
      return [transfer('stake', stake, available, event.amount, eventId)];
    case 'provider.stake-slashed':
      return [slash(provider, event, eventId)];
    default:
      return [];
  }
};
