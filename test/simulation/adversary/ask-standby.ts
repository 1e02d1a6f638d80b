import type { AskPatiently } from '../../../activities/patience.ts';
import type { NodeRequest } from '../../../domain/mesh/messages.ts';
import { refusalOf } from '../../../infra/p2p/rpc.ts';
import type { Clock } from './clock.ts';
import { MESSAGE_MS, type SimulatedNode } from './node.ts';

/** What the engine asks of a standby, answered by its bidder. */
export const askStandby =
  (clock: Clock, nodeOf: (providerId: string) => SimulatedNode): AskPatiently =>
  async (providerId, request: NodeRequest) => {
    const { bidder } = nodeOf(providerId);
    await clock.pause(2 * MESSAGE_MS);
    const answer = () => {
      switch (request.type) {
        case 'stand-in': {
          const reply = bidder.standIn(request);
          return 'ok' in reply ? refusalOf(reply) : reply;
        }
        case 'auction-ended':
          bidder.ended(request.auctionId, request);
          return { type: 'noted' as const };
        default:
          throw new Error(`no standby is asked for ${request.type}`);
      }
    };
    return { reply: answer() as never, missedHeartbeats: 0, missedInAll: 0 };
  };
