import { Context } from '@temporalio/activity';
import type { NodeRequest } from '../domain/mesh/messages.ts';
import { missedBeats } from '../domain/mesh/presence.ts';
import type { NodeGateway, NodeReplyOf } from '../domain/ports/node-gateway.ts';
import { MISSED_HEARTBEATS } from '../domain/tiers.ts';
import type { FailureDetector } from '../infra/p2p/failure-detector.ts';
import { endOfWork } from './prompt.ts';

/** How often silence is judged and Temporal told that the activity lives, ms. */
const PULSE_MS = 1000;
/** Pause before a node that was out of reach is asked again, ms. */
const RETRY_MS = 400;
/** Longest wait for one reply, ms: a question may come again, and Node's timers end at 24 days. */
const QUESTION_MS = 3_600_000;

export interface Answer<R extends NodeRequest> {
  readonly reply:
    | NodeReplyOf<R>
    /** Three heartbeats missed: the node is gone. */
    | { readonly type: 'lost'; readonly message: string }
    /** It lives but did not answer within the window. */
    | { readonly type: 'silent'; readonly message: string };
  /** Most consecutive heartbeats missed meanwhile. */
  readonly missedHeartbeats: number;
  /** All that were missed meanwhile, in a row or not. */
  readonly missedInAll: number;
}

export type AskPatiently = <R extends NodeRequest>(
  providerId: string,
  request: R,
  options: { readonly windowMs: number },
) => Promise<Answer<R>>;

/**
 * Asks a node until it answers, its window ends or its heartbeats stop. Every request to a node may come twice, so a
 * dropped connection is simply asked again; what tells a crash from a bad link are the heartbeats.
 *
 * Time counts as the failure detector counts it: window and silence begin anew after a gap in which this worker, or its
 * database, stood still, and a refusal that may come of such a gap (an artefact was out of reach) is asked for again.
 */
export const createAskPatiently = ({
  gateway,
  detector,
  pause = (ms) => Context.current().sleep(ms),
}: {
  readonly gateway: Pick<NodeGateway, 'request'>;
  readonly detector: Pick<FailureDetector, 'mark' | 'held' | 'heldMs' | 'settled' | 'silentMs'>;
  readonly pause?: (ms: number) => Promise<unknown>;
}): AskPatiently => {
  return async (providerId, request, { windowMs }) => {
    const context = Context.current();
    let asked = detector.mark();
    let missedHeartbeats = 0;
    let missedBefore = 0;
    let missedNow = 0;
    const missed = () => ({ missedHeartbeats, missedInAll: missedBefore + missedNow });
    const gone = new AbortController();
    const watch = (): boolean => {
      const inARow = missedBeats(detector.silentMs(providerId));
      // A silence that a beat has ended: what it missed stays missed.
      if (inARow < missedNow) missedBefore += missedNow;
      missedNow = inARow;
      missedHeartbeats = Math.max(missedHeartbeats, inARow);
      // Behind an append it is a local activity, which has nobody to tell.
      if (!context.info.isLocal) context.heartbeat(inARow);
      if (inARow >= MISSED_HEARTBEATS) gone.abort();
      return inARow >= MISSED_HEARTBEATS;
    };
    const pulse = setInterval(watch, PULSE_MS);
    const end = endOfWork();
    const signal = AbortSignal.any([gone.signal, end]);
    try {
      for (;;) {
        const left = windowMs - detector.heldMs(asked);
        if (left <= 0) return { reply: { type: 'silent', message: 'no answer in time' }, ...missed() };
        const question = detector.mark();
        const settled = detector.settled(providerId);
        const reply = await gateway.request(providerId, request, {
          timeoutMs: Math.min(left, QUESTION_MS),
          signal,
        });
        end.throwIfAborted();
        if (reply.type !== 'unreachable' && reply.type !== 'refused') return { reply, ...missed() };
        // What speaks against the node counts only where nothing of ours can be behind it.
        const held = await detector.held(question);
        if (reply.type === 'refused' && held && settled) return { reply, ...missed() };
        if (watch() && held)
          return { reply: { type: 'lost', message: 'three heartbeats missed' }, ...missed() };
        await pause(RETRY_MS);
        // Where the engine had no way to the node, the window begins anew as well.
        if (reply.type === 'unreachable' && reply.cause === 'engine') asked = detector.mark();
      }
    } finally {
      clearInterval(pulse);
    }
  };
};
