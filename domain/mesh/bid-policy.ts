import { LEAST_SECONDS } from '../auction/asking.ts';
import { type Micro, toMicro, units } from '../money.ts';
import { DEFAULT_T_REF } from '../tiers.ts';
import { type FuelRate, finishesInTime } from './fuel-rate.ts';
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

export interface NodeCapacity {
  readonly owner: string;
  readonly tops: number;
}

/** What running enclaves and standing bids hold already. */
export interface Load {
  readonly slots: number;
  readonly tops: number;
}

export type BidChoice =
  | { readonly bid: true; readonly price: Micro }
  | {
      readonly bid: false;
      readonly reason: 'own-auction' | 'no-capacity' | 'not-measured' | 'not-in-time' | 'above-ceiling';
    };

/** Factors are counted in millionths, rounded up: never money in doubles. */
const MILLION = 1_000_000n;
const millionths = (value: number): bigint => BigInt(Math.ceil(value * 1_000_000));

/**
 * Cost of the H200-hours of the job plus margin, rounded up: a node never sells below its cost. H200-hours are counted
 * by the reference that the auction was priced by. What keeps the node's capacity is not for less than that is worth for
 * a while (`LEAST_SECONDS`), however little work it does there.
 * @param placeTops what the smallest job takes of the node: its share of the places
 */
export const askingPrice = (
  policy: CostPolicy,
  job: Pick<AuctionAnnouncement, 'requiredTops' | 'utilization' | 'durationSeconds' | 'tRef'>,
  placeTops = 0,
): Micro => {
  // Rounded down, since it divides.
  const tRef = BigInt(Math.max(1, Math.floor((job.tRef ?? DEFAULT_T_REF) * 1_000_000)));
  const costOf = (tops: number, utilization: number, seconds: number): bigint => {
    const factors = [tops, utilization, seconds, 1 + policy.margin];
    const numerator = factors.reduce(
      (product, factor) => product * millionths(factor),
      units(policy.pricePerH200Hour),
    );
    const denominator = tRef * 3600n * MILLION ** BigInt(factors.length - 1);
    return (numerator + denominator - 1n) / denominator;
  };
  const work = costOf(job.requiredTops, job.utilization, job.durationSeconds);
  const place = costOf(Math.max(job.requiredTops, placeTops), 1, LEAST_SECONDS);
  const cost = work > place ? work : place;
  const floor = units(policy.floor);
  return toMicro(cost > floor ? cost : floor);
};

/** Whether a job of this size fits beside what the node holds already (invariant 15). */
export const fits = (policy: CostPolicy, node: NodeCapacity, load: Load, requiredTops: number): boolean =>
  load.slots < policy.maxConcurrent && load.tops + requiredTops <= node.tops;

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
  if (!fits(policy, node, load, auction.requiredTops)) return { bid: false, reason: 'no-capacity' };
  if (!rate) return { bid: false, reason: 'not-measured' };
  if (!finishesInTime(rate, auction)) return { bid: false, reason: 'not-in-time' };
  const price = askingPrice(policy, auction, node.tops / policy.maxConcurrent);
  return units(price) > units(auction.ceiling)
    ? { bid: false, reason: 'above-ceiling' }
    : { bid: true, price };
};
