import { type Micro, toMicro, units } from '../money.ts';
import { DEFAULT_T_REF } from '../tiers.ts';
import type { AuctionAnnouncement } from './messages.ts';

/** What a node's work costs its owner. */
export interface CostPolicy {
  /** Cost of keeping one H200 (T_ref TOPS) reserved for an hour. */
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
  | { readonly bid: false; readonly reason: 'own-auction' | 'no-capacity' | 'above-ceiling' };

const MS_PER_HOUR = 3_600_000n;
/** Fractions of TOPS, milliseconds and margin are counted in thousandths and millionths, never in doubles. */
const THOUSAND = 1000n;
const MILLION = 1_000_000n;
const scaledUp = (value: number, scale: bigint): bigint => BigInt(Math.ceil(value * Number(scale)));

/** Cost plus margin of the reserved capacity (TOPS x time), rounded up: a node never sells below its cost. */
export const askingPrice = (
  policy: CostPolicy,
  job: Pick<AuctionAnnouncement, 'requiredTops' | 'durationSeconds'>,
): Micro => {
  const tops = scaledUp(job.requiredTops, THOUSAND);
  const ms = scaledUp(job.durationSeconds, THOUSAND);
  const share = MILLION + scaledUp(policy.margin, MILLION);
  const numerator = units(policy.pricePerH200Hour) * tops * ms * share;
  const denominator = BigInt(DEFAULT_T_REF) * THOUSAND * MS_PER_HOUR * MILLION;
  const price = (numerator + denominator - 1n) / denominator;
  const floor = units(policy.floor);
  return toMicro(price > floor ? price : floor);
};

/** Whether a job of this size fits beside what the node holds already (invariant 15). */
export const fits = (policy: CostPolicy, node: NodeCapacity, load: Load, requiredTops: number): boolean =>
  load.slots < policy.maxConcurrent && load.tops + requiredTops <= node.tops;

/** The node's answer to an auction. Truthful by design: the payment rule makes the own cost the best bid. */
export const chooseBid = (
  policy: CostPolicy,
  node: NodeCapacity,
  load: Load,
  auction: AuctionAnnouncement,
): BidChoice => {
  if (auction.submitter === node.owner) return { bid: false, reason: 'own-auction' };
  if (!fits(policy, node, load, auction.requiredTops)) return { bid: false, reason: 'no-capacity' };
  const price = askingPrice(policy, auction);
  return units(price) > units(auction.ceiling)
    ? { bid: false, reason: 'above-ceiling' }
    : { bid: true, price };
};
