import type { Auction } from '../../domain/auction/auction.ts';
import type { Room } from '../../domain/auction/room.ts';
import type { Job } from '../../domain/job/job.ts';
import { stateName } from '../../domain/lifecycle.ts';
import { multiply } from '../../domain/money.ts';
import type { Provider } from '../../domain/provider/fold.ts';
import { admits } from '../../domain/provider/opinion.ts';
import { isBarred } from '../../domain/provider/risk.ts';
import type { StreamState } from '../../domain/registry.ts';
import { type FoldSource, foldsOf } from '../event-store/folds.ts';
import type { CommandCaller } from '../journal/handle-command.ts';
import type { ProviderOutcome, Providers } from './providers.ts';

/** An order as a bond has to cover it. */
export type Order = Pick<Auction, 'auctionId' | 'ceiling' | 'winners'>;

export interface BondsDeps {
  readonly store: FoldSource;
  readonly providers: Pick<Providers, 'find' | 'execute'>;
  readonly now: () => string;
}

const ENDED_JOB = new Set(['settled', 'failed']);

/** What bonds stand behind, one order each: asked of the log before another is won, and before a bond goes back. */
export const createBonds = ({ store, providers, now }: BondsDeps) => {
  const folds = foldsOf(store);

  const foldedOf = async (stream: string): Promise<StreamState> => {
    const folded = await folds.stream(stream);
    if (!folded) throw new Error(`${stream} does not exist`);
    return folded;
  };

  /** Whether nothing that the provider won in the auction, or stood in for, can still be delivered or fail. */
  const isOver = async (auctionId: string, providerId: string): Promise<boolean> => {
    const auction = await foldedOf(auctionId);
    const { awarded, jobId } = auction.context as Auction;
    const isHere = (each: { readonly providerId: string }): boolean => each.providerId === providerId;
    switch (stateName(auction.value)) {
      case 'failed':
      case 'lapsed':
        return true;
      case 'awarded':
        return !awarded.some(isHere);
      case 'allocated': {
        if (jobId === null) throw new Error(`${auctionId} is allocated to no job`);
        const job = await foldedOf(jobId);
        const { members, failed } = job.context as Job;
        // Its evidence is recorded before a job ends.
        return ENDED_JOB.has(stateName(job.value)) || ![...awarded, ...members, ...failed].some(isHere);
      }
      default:
        return false;
    }
  };

  const overOf = async ({ providerId, bond }: Provider): Promise<string | null> =>
    bond?.chance && (await isOver(bond.chance, providerId)) ? bond.chance : null;

  return {
    /**
     * Whether a provider may win this order: one that needs no bond may, one that has posted its bond where that covers the
     * order and stands behind no other. From then on it stands behind this one. With `underBond` the bid was judged by a bond,
     * which may have been withdrawn since.
     */
    async mayWin(
      providerId: string,
      { auctionId, ceiling, winners }: Order,
      underBond = false,
    ): Promise<boolean> {
      const provider = await providers.find(providerId);
      const at = now();
      if (!provider || !isBarred(provider.evidence, at)) return true;
      if (!provider.bond) return !underBond && admits(provider.evidence, at).admitted;
      const over = await overOf(provider);
      const outcome = await providers.execute(
        providerId,
        { type: 'take-chance', auctionId, escrow: multiply(ceiling, winners), over },
        { actor: 'engine', commandId: `${auctionId}/chance/${providerId}` },
      );
      return outcome.ok;
    },

    /** Gives the bond back, unless something that it stands behind is under way. */
    async withdraw(providerId: string, caller: CommandCaller): Promise<ProviderOutcome> {
      const provider = await providers.find(providerId);
      const over = provider && (await overOf(provider));
      return providers.execute(providerId, { type: 'withdraw-bond', over }, caller);
    },
  };
};

export type Bonds = ReturnType<typeof createBonds>;

/** Room for an order: at the node, as `askRoom` says, and under its bond where it needs one. */
export const roomUnderBond =
  (
    askRoom: (providerId: string, auction: Auction, underBond: boolean) => Promise<Room>,
    { mayWin }: Pick<Bonds, 'mayWin'>,
  ): typeof askRoom =>
  async (providerId, auction, underBond) => {
    const room = await askRoom(providerId, auction, underBond);
    if (room !== 'held') return room;
    return (await mayWin(providerId, auction, underBond)) ? 'held' : 'uncovered';
  };
