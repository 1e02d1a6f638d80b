import { toMicro } from '../money.ts';
import { INFRASTRUCTURE_TYPES } from '../tiers.ts';
import type { OpenedBid } from './events.ts';

/** A repeatable stream of numbers in [0, 1): mulberry32. */
export const generator = (seed: number): (() => number) => {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
};

/** A bid that clashes with no other of another index below 6, and is reliable enough for every tier. */
export const bidOf = (index: number, price: number | bigint, change: Partial<OpenedBid> = {}): OpenedBid => ({
  bidId: `bid-${index}`,
  providerId: `provider-${index}`,
  owner: `owner-${index}`,
  infrastructureType: INFRASTRUCTURE_TYPES[index % INFRASTRUCTURE_TYPES.length] ?? 'cloud_aws',
  asn: 64_512 + index,
  region: `region-${index}`,
  unavailability: 0.001,
  price: toMicro(BigInt(price)),
  newcomer: false,
  ...change,
});

export interface MarketShape {
  readonly bids: number;
  readonly asns: number;
  readonly regions: number;
  /** Bounds of a member's unavailability. */
  readonly unavailability: readonly [number, number];
  /** Prices are integers from 1 to this; small numbers make ties. */
  readonly highestPrice: number;
  /** Surcharges are integers from 0 to this, with none for about half of the bids; bids have no surcharge unless given. */
  readonly highestSurcharge?: number;
  /** 0..1: how far reliability raises the price. */
  readonly premium?: number;
}

export const marketOf = (random: () => number, shape: MarketShape): OpenedBid[] =>
  Array.from({ length: shape.bids }, (_, index) => {
    const { premium = 0, highestPrice, highestSurcharge } = shape;
    const [best, worst] = shape.unavailability;
    const quality = random();
    const level = premium * quality + (1 - premium) * random();
    return bidOf(index, 1 + Math.floor(level * highestPrice), {
      infrastructureType: INFRASTRUCTURE_TYPES[Math.floor(random() * 6)] ?? 'cloud_aws',
      asn: Math.floor(random() * shape.asns),
      region: `region-${Math.floor(random() * shape.regions)}`,
      unavailability: worst - quality * (worst - best),
      ...(highestSurcharge === undefined
        ? {}
        : {
            surcharge: toMicro(BigInt(Math.max(0, Math.floor((2 * random() - 1) * (highestSurcharge + 1))))),
          }),
    });
  });

/** All sets of `size` items. */
export function* setsOf<T>(items: readonly T[], size: number): Generator<T[]> {
  if (size === 0) {
    yield [];
    return;
  }
  for (const [index, first] of items.entries()) {
    for (const others of setsOf(items.slice(index + 1), size - 1)) yield [first, ...others];
  }
}
