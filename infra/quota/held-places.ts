import { suffixOf } from '../../domain/ids.ts';
import { foldedState } from '../../domain/registry.ts';
import { type FoldSource, foldsOf } from '../event-store/folds.ts';

const stateOf = async (store: FoldSource, stream: string): Promise<string | null> => {
  const folded = await foldsOf(store).stream(stream);
  return folded && foldedState(folded);
};

/** Whether an auction takes bids, or is about to: the auction of a job opens after its job. */
export const isOpenAuction =
  (store: FoldSource) =>
  async (auctionId: string): Promise<boolean | null> => {
    const auction = await stateOf(store, auctionId);
    if (auction !== null) return auction === 'open' || auction === 'opening';
    const job = await stateOf(store, `job-${suffixOf(auctionId)}`);
    return job === null ? null : job === 'quoted' || job === 'auctioning';
  };

/** Whether an enclave keeps a place of its node. */
export const isLiveEnclave =
  (store: FoldSource) =>
  async (enclaveId: string): Promise<boolean | null> => {
    const enclave = await stateOf(store, enclaveId);
    return enclave === null ? null : enclave !== 'terminated' && enclave !== 'error';
  };
