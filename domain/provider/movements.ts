import { type LedgerEntry, transfer } from '../ledger/entry.ts';
import { account } from '../ledger/events.ts';
import { add, negate, subtract } from '../money.ts';
import type { BondForfeited, ProviderEvent, StakeSlashed } from './events.ts';
import type { ProviderState } from './fold.ts';

/** Shares of a slashed stake or bond reach their principals in one entry; what is nobody's share is kept apart. */
const slash = (from: string, event: StakeSlashed | BondForfeited, eventId: string): LedgerEntry => {
  const given = add(...event.shares.map(({ amount }) => amount));
  return {
    entryId: `${eventId}/slash`,
    kind: 'slash',
    cause: eventId,
    postings: [
      { account: from, amount: negate(event.amount) },
      ...event.shares.map(({ principal, amount }) => ({ account: account.available(principal), amount })),
      { account: account.slashed, amount: subtract(event.amount, given) },
    ],
  };
};

/** Stake and bond leave an account in the same step in which the event says so. */
export const movements = (
  provider: ProviderState,
  event: ProviderEvent,
  eventId: string,
): readonly LedgerEntry[] => {
  if (!provider) return [];
  const available = account.available(provider.owner);
  const stake = account.stake(provider.providerId);
  const bond = account.bond(provider.providerId);
  switch (event.type) {
    case 'provider.stake-locked':
      return [transfer('stake', available, stake, event.amount, eventId)];
    case 'provider.stake-withdrawn':
      return [transfer('stake', stake, available, event.amount, eventId)];
    case 'provider.stake-slashed':
      return [slash(stake, event, eventId)];
    case 'provider.bond-posted':
      return [transfer('hold', available, bond, event.amount, eventId)];
    case 'provider.bond-returned':
      return [transfer('release', bond, available, event.amount, eventId)];
    case 'provider.bond-forfeited':
      return [slash(bond, event, eventId)];
    default:
      return [];
  }
};
