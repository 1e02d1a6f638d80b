import { ALLOCATION_SECONDS, LAUNCH_SECONDS } from '../../domain/auction/reservation.ts';
import type { Reservation } from '../../domain/enclave/events.ts';
import {
  type CostPolicy,
  fits,
  type Load,
  loadOf,
  type NodeCapacity,
  type Size,
} from '../../domain/mesh/bid-policy.ts';

/** What the node has promised and what it runs; the sum never exceeds what it has (invariant 15). */
export interface CapacityBook {
  load(): Load;
  /**
   * Remembers a bid for which there is room now; false when there is none. It holds nothing: whoever asks and does not buy
   * would keep capacity from those who do.
   */
  stand(auctionId: string, size: Size, closesAtMs: number): boolean;
  stands(auctionId: string): boolean;
  /**
   * Holds capacity for a bid that is about to win; false when there is none any more. The bid may be unknown here: placed
   * by the owner, or before a restart.
   */
  confirm(auctionId: string, size: Size): boolean;
  /**
   * The auction was extended, and nobody has won yet. News of several engines may come in any order: it never closes
   * earlier than was said.
   */
  extend(auctionId: string, closesAtMs: number): void;
  /** When the auction of a standing bid closes, as long as nothing is known of its outcome; else null. */
  unheard(auctionId: string): number | null;
  /** The bid won: an enclave follows, if a job takes the award, at the latest at `takenByMs`. Held as far as there is room. */
  won(auctionId: string, takenByMs?: number): void;
  release(auctionId: string): void;
  /**
   * Turns the booking of its own auction into the enclave's place; without one it takes free capacity, never what is
   * booked for another (settled 37). False when there is none.
   */
  occupy(enclaveId: string, memoryMb: number, reservation?: Reservation): boolean;
  vacate(enclaveId: string): void;
  /** Calls `listener` whenever there may be more room than before. */
  onFreed(listener: () => void): void;
}

export interface CapacityDeps {
  readonly policy: CostPolicy;
  readonly node: NodeCapacity;
  /** Milliseconds since 1970. */
  readonly nowMs: () => number;
}

interface Booking {
  readonly size: Size;
  isHeld: boolean;
  closesAtMs: number;
  heldUntilMs: number;
  won: boolean;
}

/** A winner may wait this long for its enclave once its award is taken. */
const LAUNCH_MS = LAUNCH_SECONDS * 1000;
/** Without news, a bid is remembered this long after the close: until then its award may be taken. */
const UNHEARD_MS = ALLOCATION_SECONDS * 1000 + LAUNCH_MS;

export const createCapacityBook = ({ policy, node, nowMs }: CapacityDeps): CapacityBook => {
  const reservations = new Map<string, Booking>();
  const enclaves = new Map<string, Size>();
  const listeners: (() => void)[] = [];
  const freed = (): void => {
    for (const listener of listeners) listener();
  };

  const forgetOld = (): void => {
    const now = nowMs();
    for (const [id, { heldUntilMs }] of reservations) if (heldUntilMs <= now) reservations.delete(id);
  };

  /** Of all but the booking `except`. */
  const load = (except?: Booking): Load => {
    forgetOld();
    const held = [...reservations.values()].filter((booking) => booking.isHeld && booking !== except);
    return loadOf([...held.map(({ size }) => size), ...enclaves.values()]);
  };

  const hold = (reservation: Booking): boolean => {
    if (!reservation.isHeld && fits(policy, node, load(), reservation.size)) reservation.isHeld = true;
    return reservation.isHeld;
  };

  const remember = (auctionId: string, size: Size, closesAtMs: number): boolean => {
    if (!fits(policy, node, load(), size)) return false;
    const heldUntilMs = closesAtMs + UNHEARD_MS;
    reservations.set(auctionId, { size, isHeld: false, closesAtMs, heldUntilMs, won: false });
    return true;
  };

  return {
    load: () => load(),
    stand: remember,
    stands: (auctionId) => reservations.has(auctionId),
    confirm(auctionId, size) {
      if (!reservations.has(auctionId) && !remember(auctionId, size, nowMs())) return false;
      return hold(reservations.get(auctionId) as Booking);
    },
    extend(auctionId, closesAtMs) {
      const reservation = reservations.get(auctionId);
      if (!reservation || reservation.won || closesAtMs <= reservation.closesAtMs) return;
      reservation.isHeld = false;
      reservation.closesAtMs = closesAtMs;
      reservation.heldUntilMs = closesAtMs + UNHEARD_MS;
      freed();
    },
    unheard(auctionId) {
      forgetOld();
      const reservation = reservations.get(auctionId);
      return reservation && !reservation.won ? reservation.closesAtMs : null;
    },
    won(auctionId, takenByMs = nowMs()) {
      const reservation = reservations.get(auctionId);
      if (!reservation) return;
      hold(reservation);
      reservation.won = true;
      reservation.heldUntilMs = takenByMs + LAUNCH_MS;
    },
    release(auctionId) {
      if (reservations.delete(auctionId)) freed();
    },
    occupy(enclaveId, memoryMb, reservation) {
      if (enclaves.has(enclaveId)) return true;
      const bid = reservation && reservations.get(reservation.auctionId);
      // What no auction announced says nothing about its TOPS: it takes a place and its memory.
      const own = bid?.isHeld ? bid : undefined;
      const size = own ? { ...own.size, memoryMb } : { tops: reservation?.tops ?? 0, memoryMb };
      if (!fits(policy, node, load(own), size)) return false;
      if (reservation) reservations.delete(reservation.auctionId);
      enclaves.set(enclaveId, size);
      return true;
    },
    vacate(enclaveId) {
      if (enclaves.delete(enclaveId)) freed();
    },
    onFreed: (listener) => void listeners.push(listener),
  };
};
