import { setTimeout as sleep } from 'node:timers/promises';
import type { Auction } from '../../../domain/auction/auction.ts';
import type { Room } from '../../../domain/auction/room.ts';
import type { NodeGateway } from '../../../domain/ports/node-gateway.ts';

/** What a node may take for one answer, ms: an award asks a few times, and is waited for. */
const QUESTION_MS = 1_000;
/** For how long it is asked again, ms, and the pause between. At least twice: the first silence may have been a stall here. */
const WINDOW_MS = 2_000;
const PAUSE_MS = 300;

export interface RoomDeps {
  readonly gateway: Pick<NodeGateway, 'request'>;
  /** Monotonic ms. */
  readonly monotonicMs?: () => number;
  readonly pause?: (ms: number) => Promise<unknown>;
}

/** Asks nodes whether they still have room for their bids. */
export const createAskRoom =
  ({ gateway, monotonicMs = () => performance.now(), pause = (ms) => sleep(ms) }: RoomDeps) =>
  async (providerId: string, { auctionId, requiredTops: tops, memoryMb }: Auction): Promise<Room> => {
    const began = monotonicMs();
    const memory = memoryMb === undefined ? {} : { memoryMb };
    for (let attempt = 1; ; attempt++) {
      const request = { type: 'confirm-bid', auctionId, tops, ...memory } as const;
      const reply = await gateway.request(providerId, request, { timeoutMs: QUESTION_MS });
      if (reply.type === 'bid-confirmed') return reply.hasRoom ? 'held' : 'full';
      if (reply.type === 'refused') return 'silent';
      if (attempt > 1 && monotonicMs() - began >= WINDOW_MS)
        return reply.cause === 'node' ? 'silent' : 'away';
      await pause(PAUSE_MS);
    }
  };
