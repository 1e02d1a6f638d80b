import type { OpenedBid, Winner } from '../../../domain/auction/events.ts';
import type { DomainEvent } from '../../../domain/event.ts';
import { toMicro } from '../../../domain/money.ts';
import { INFRASTRUCTURE_TYPES, type InfrastructureType } from '../../../domain/tiers.ts';
import { instant } from '../../../domain/time.ts';

/** Random but valid streams: every prefix of a story is one that a log can hold. */
export interface Story {
  readonly stream: string;
  readonly events: readonly DomainEvent[];
}

/** Draws numbers below a bound from a random tape. */
export type Draw = (below: number) => number;

const T0 = Date.UTC(2026, 0, 1);
export const at = (second: number): string => instant(T0 + second * 1000 + second);
export const ulid = (seed: number): string => String(seed).padStart(26, '0');
export const hex = (seed: number): string => seed.toString(16).padStart(64, '0');
export const micro = (value: number) => toMicro(BigInt(value));

export const bidOf = (seed: number, index: number): OpenedBid => ({
  bidId: `bid-${ulid(seed * 100 + index)}`,
  providerId: `provider-${ulid(index)}`,
  owner: `subject-${ulid(index)}`,
  infrastructureType: INFRASTRUCTURE_TYPES[index % INFRASTRUCTURE_TYPES.length] as InfrastructureType,
  asn: 64_512 + index,
  region: `region-${index}`,
  unavailability: 0.01 * (index + 1),
  price: micro(100 + 7 * index),
  newcomer: index % 2 === 0,
});

export const winnerOf = (seed: number, index: number): Winner => ({
  ...bidOf(seed, index),
  payment: micro(900 + index),
});
