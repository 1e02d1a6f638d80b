import { units } from '../money.ts';
import type { OpenedBid } from './events.ts';

type Priced = Pick<OpenedBid, 'price' | 'surcharge'>;

export const surchargeOf = ({ surcharge }: Priced): bigint =>
  surcharge === undefined ? 0n : units(surcharge);

/** What a bid counts in an award, micro-units: its price, and the surcharge that nobody is paid. */
export const amountOf = (bid: Priced): bigint => units(bid.price) + surchargeOf(bid);

/** A newcomer whose risk no surcharge prices: its awards are limited to the probation share (settled 16). */
export const isOnProbation = ({ newcomer, surcharge }: Pick<OpenedBid, 'newcomer' | 'surcharge'>): boolean =>
  newcomer && surcharge === undefined;
