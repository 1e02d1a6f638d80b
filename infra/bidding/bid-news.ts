import type { Auction } from '../../domain/auction/auction.ts';
import { ok, type Result, reject } from '../../domain/errors.ts';
import type { BidNews } from '../../domain/mesh/messages.ts';
import { foldedState } from '../../domain/registry.ts';
import { type FoldSource, foldsOf } from '../event-store/folds.ts';

const LOST: BidNews = { type: 'bid-decided', won: false };

/** What the log says of a provider's bid: whether its reservation is still wanted (settled 37). */
export const createBidNews = ({ store }: { readonly store: FoldSource }) => {
  const folds = foldsOf(store);

  const isOver = async (jobId: string): Promise<boolean> => {
    const folded = await folds.stream(jobId);
    return folded !== null && ['settled', 'failed'].includes(foldedState(folded));
  };

  return async (providerId: string, auctionId: string): Promise<Result<BidNews>> => {
    const folded = await folds.stream(auctionId);
    if (!folded) return reject('RESOURCE_NOT_FOUND', `no auction ${auctionId}`);
    const { awarded, closesAt, allocateBy, jobId } = folded.context as Auction;
    const won = awarded.some((winner) => winner.providerId === providerId);
    switch (foldedState(folded)) {
      case 'open':
      case 'opening':
        return ok({ type: 'still-open', closesAt });
      case 'awarded':
        return ok(won && allocateBy !== null ? { type: 'bid-decided', won, takenBy: allocateBy } : LOST);
      case 'allocated':
        return ok(won && jobId !== null && !(await isOver(jobId)) ? { type: 'bid-decided', won } : LOST);
      default:
        return ok(LOST);
    }
  };
};
