import { type ChunkKeeper, type ChunkKeeperDeps, createChunkKeeper } from './chunk-keeper.ts';
import { createObserver, type Observer, type ObserverDeps } from './observer.ts';

/** A node observes its neighbours and is observed by them. */
export type Observing = ChunkKeeper & Observer;

export const createObserving = (deps: ChunkKeeperDeps & ObserverDeps): Observing => ({
  ...createChunkKeeper(deps),
  ...createObserver(deps),
});
