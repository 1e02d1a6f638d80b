import type { CapacityBook } from '../../../infra/node/capacity.ts';

/** For how long a node's capacity was kept for each order, in TOPS × ms. */
export interface Holds {
  /** By auction, or by enclave where no auction asked for it; what is held now counts until now. */
  readonly totals: () => ReadonlyMap<string, number>;
}

interface Span {
  readonly order: string;
  readonly tops: number;
  readonly sinceMs: number;
}

/**
 * The same book, counting what it holds. A place counts as its share of the node even where little of it is used: a node
 * without free places can do nothing with the rest.
 */
export const metered = (
  book: CapacityBook,
  { nowMs, leastTops }: { readonly nowMs: () => number; readonly leastTops: number },
): { readonly book: CapacityBook; readonly holds: Holds } => {
  const spans = new Map<string, Span>();
  const totals = new Map<string, number>();

  const begin = (key: string, order: string, tops: number): void => {
    if (!spans.has(key)) spans.set(key, { order, tops: Math.max(tops, leastTops), sinceMs: nowMs() });
  };
  const count = ({ order, tops, sinceMs }: Span, into: Map<string, number>): void =>
    void into.set(order, (into.get(order) ?? 0) + tops * (nowMs() - sinceMs));
  const end = (key: string): void => {
    const span = spans.get(key);
    if (!span) return;
    spans.delete(key);
    count(span, totals);
  };

  return {
    holds: {
      totals: () => {
        const all = new Map(totals);
        for (const span of spans.values()) count(span, all);
        return all;
      },
    },
    book: {
      ...book,
      confirm(auctionId, size) {
        const held = book.confirm(auctionId, size);
        if (held) begin(auctionId, auctionId, size.tops);
        return held;
      },
      extend(auctionId, closesAtMs) {
        book.extend(auctionId, closesAtMs);
        end(auctionId);
      },
      release(auctionId) {
        book.release(auctionId);
        end(auctionId);
      },
      occupy(enclaveId, memoryMb, reservation) {
        const placed = book.occupy(enclaveId, memoryMb, reservation);
        if (!placed) return false;
        if (reservation) end(reservation.auctionId);
        begin(enclaveId, reservation?.auctionId ?? enclaveId, reservation?.tops ?? 0);
        return true;
      },
      vacate(enclaveId) {
        book.vacate(enclaveId);
        end(enclaveId);
      },
    },
  };
};
