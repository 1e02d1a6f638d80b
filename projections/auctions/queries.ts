import { type Micro, toMicro, units } from '../../domain/money.ts';
import { ask } from '../ask.ts';
import type { Session } from '../projection.ts';
import { selectList } from '../table.ts';
import { type AuctionRow, auctionsTable } from './table.ts';

const SELECT = `select ${selectList(auctionsTable)} from fog.auctions`;
const BIDS = {
  name: 'fog-bids',
  text: 'select bids_placed as placed from fog.auctions where auction_id = $1',
};

export const getAuction = async (db: Session, auctionId: string): Promise<AuctionRow | null> => {
  const { rows } = await db.query<AuctionRow>(`${SELECT} where auction_id = $1`, [auctionId]);
  return rows[0] ?? null;
};

/** Number of bids placed in an auction so far; null where it has not been heard of. */
export const countBids = async (db: Session, auctionId: string): Promise<number | null> => {
  const { rows } = await ask<{ placed: number }>(db, BIDS, [auctionId]);
  return rows[0]?.placed ?? null;
};

/** Auctions that take bids now, as far as the log tells; what a node that joins is told. */
export const listOpenAuctions = async (db: Session): Promise<AuctionRow[]> => {
  const { rows } = await db.query<AuctionRow>(`${SELECT} where state = 'open' order by auction_id`);
  return rows;
};

export interface BidStats {
  readonly count: number;
  /** Distinct owners. */
  readonly unique: number;
  readonly min: Micro;
  readonly max: Micro;
  /** Rounded down to 1 micro-unit. */
  readonly mean: Micro;
}

/** Figures over the opened bids; null before they are opened and where none was. */
export const bidStats = ({ bids }: Pick<AuctionRow, 'bids'>): BidStats | null => {
  const prices = (bids ?? []).flatMap(({ price }) => (price === null ? [] : [units(price)]));
  const [first] = prices;
  if (first === undefined) return null;
  return {
    count: prices.length,
    unique: new Set(bids?.map((bid) => bid.owner).filter((owner) => owner !== null)).size,
    min: toMicro(prices.reduce((least, price) => (price < least ? price : least), first)),
    max: toMicro(prices.reduce((most, price) => (price > most ? price : most), first)),
    mean: toMicro(prices.reduce((sum, price) => sum + price, 0n) / BigInt(prices.length)),
  };
};
