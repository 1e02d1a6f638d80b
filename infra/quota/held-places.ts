import { suffixOf } from '../../domain/ids.ts';
import type { EventStore } from '../../domain/ports/event-store.ts';
import { foldedState, foldStream } from '../../domain/registry.ts';

type Log = Pick<EventStore, 'readStream'>;

const stateOf = async (store: Log, stream: string): Promise<string | null> => {
  const events = await store.readStream(stream);
  return events.length > 0 ? foldedState(foldStream(stream, events)) : null;
};

/** Whether an auction takes bids, or is about to: the auction of a job opens after its job. */
export const isOpenAuction =
  (store: Log) =>
  async (auctionId: string): Promise<boolean | null> => {
    const auction = await stateOf(store, auctionId);
    if (auction !== null) return auction === 'open' || auction === 'opening';
    const job = await stateOf(store, `job-${suffixOf(auctionId)}`);
    return job === null ? null : job === 'quoted' || job === 'auctioning';
  };

/** Whether an enclave keeps a place of its node. */
export const isLiveEnclave =
  (store: Log) =>
  async (enclaveId: string): Promise<boolean | null> => {
    const enclave = await stateOf(store, enclaveId);
    return enclave === null ? null : enclave !== 'terminated' && enclave !== 'error';
  };
