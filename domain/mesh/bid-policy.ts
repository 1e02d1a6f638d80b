import { LEAST_SECONDS } from '../auction/asking.ts';
import { dominantShare, hoursOf, larger } from '../auction/h200.ts';
import { type Micro, toMicro, units } from '../money.ts';
import { rationalOf, roundUp, times } from '../rational.ts';
import { type FuelRate, mostRunsFor } from './fuel-rate.ts';
import type { AuctionAnnouncement } from './messages.ts';

/** What a node's work costs its owner. */
export interface CostPolicy {
  /** Cost of one H200-hour: T_ref TOPS, busy for an hour. */
  readonly pricePerH200Hour: Micro;
  /** The least asked for any job, whatever its size. */
  readonly floor: Micro;
  /** Profit as a share of the cost, >= 0. */
  readonly margin: number;
  /** Most auctions and enclaves that may hold capacity at once. */
  readonly maxConcurrent: number;
}

/** What one run takes of a node beside a place, or all that the node has. */
export interface Size {
  readonly tops: number;
  /** MiB. */
  readonly memoryMb: number;
  /** Runs at once, itself among them, with which it is done in time; any number where that is not known. */
  readonly mostRuns?: number;
}

export interface NodeCapacity extends Size {
  readonly owner: string;
}

/** What running enclaves and standing bids hold already. */
export interface Load extends Size {
  readonly slots: number;
}

/** What a run for an auction takes; an auction from before memory was priced says nothing of it. */
export const sizeOf = ({
  requiredTops,
  memoryMb = 0,
}: Pick<AuctionAnnouncement, 'requiredTops' | 'memoryMb'>): Size => ({ tops: requiredTops, memoryMb });

export type BidChoice =
  | { readonly bid: true; readonly price: Micro; readonly size: Size }
  | {
      readonly bid: false;
      readonly reason: 'own-auction' | 'no-capacity' | 'not-measured' | 'not-in-time' | 'above-ceiling';
    };

/**
 * Cost of the H200-hours of the job plus margin, rounded up: a node never sells below its cost. H200-hours are counted
 * by the reference that the auction was priced by, and by the dominant share. What keeps the node's capacity is not for
 * less than that is worth for a while (`LEAST_SECONDS`), however little work it does there.
 * @param placeTops what the smallest job takes of the node: its share of the places
 */
export const askingPrice = (
  policy: CostPolicy,
  job: Pick<AuctionAnnouncement, 'requiredTops' | 'utilization' | 'durationSeconds' | 'tRef' | 'memoryMb'>,
  placeTops = 0,
): Micro => {
  const { requiredTops, memoryMb, tRef } = job;
  const place = { requiredTops: Math.max(requiredTops, placeTops), memoryMb };
  const hours = larger(
    hoursOf(dominantShare(job, tRef, job.utilization), job.durationSeconds),
    hoursOf(dominantShare(place, tRef), LEAST_SECONDS),
  );
  const hourly = { numerator: units(policy.pricePerH200Hour), denominator: 1n };
  const cost = roundUp(times(hours, hourly, rationalOf(1 + policy.margin)));
  const floor = units(policy.floor);
  return toMicro(cost > floor ? cost : floor);
};

const ANY = Number.POSITIVE_INFINITY;

/** What runs of these sizes take together. */
export const loadOf = (held: readonly Size[]): Load => ({
  slots: held.length,
  tops: held.reduce((sum, { tops }) => sum + tops, 0),
  memoryMb: held.reduce((sum, { memoryMb }) => sum + memoryMb, 0),
  mostRuns: Math.min(...held.map(({ mostRuns = ANY }) => mostRuns)),
});

/**
 * Whether a run of this size fits beside what the node holds already (invariant 15), and all of them are done in time. Each
 * run takes a place, and at most one core: a module has a single thread, whatever its enclave was told of cores.
 */
export const fits = (
  { maxConcurrent }: Pick<CostPolicy, 'maxConcurrent'>,
  node: Size,
  load: Load,
  size: Size,
): boolean =>
  load.slots < Math.min(maxConcurrent, load.mostRuns ?? ANY, size.mostRuns ?? ANY) &&
  load.tops + size.tops <= node.tops &&
  load.memoryMb + size.memoryMb <= node.memoryMb;

/**
 * The node's answer to an auction. Truthful by design: the payment rule makes the own cost the best bid.
 * @param rate what its machine does; null as long as that is not known
 */
export const chooseBid = (
  policy: CostPolicy,
  node: NodeCapacity,
  load: Load,
  rate: FuelRate | null,
  auction: AuctionAnnouncement,
): BidChoice => {
  if (auction.submitter === node.owner) return { bid: false, reason: 'own-auction' };
  if (!rate) return { bid: false, reason: 'not-measured' };
  const size = { ...sizeOf(auction), mostRuns: mostRunsFor(rate, auction) };
  if (size.mostRuns === 0) return { bid: false, reason: 'not-in-time' };
  if (!fits(policy, node, load, size)) return { bid: false, reason: 'no-capacity' };
  const price = askingPrice(policy, auction, node.tops / policy.maxConcurrent);
  return units(price) > units(auction.ceiling)
    ? { bid: false, reason: 'above-ceiling' }
    : { bid: true, price, size };
};
