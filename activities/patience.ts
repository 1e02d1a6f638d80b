import { Context } from '@temporalio/activity';
import type { NodeRequest } from '../domain/mesh/messages.ts';
import type { Heartbeats, NodeGateway, NodeReplyOf } from '../domain/ports/node-gateway.ts';
import { HEARTBEAT_SECONDS, MISSED_HEARTBEATS } from '../domain/tiers.ts';
import { msBetween } from '../domain/time.ts';

/** How often silence is judged and Temporal told that the activity lives, ms. */
const PULSE_MS = 1000;
/** Pause before a node that was out of reach is asked again, ms. */
const RETRY_MS = 400;

export interface Answer<R extends NodeRequest> {
  readonly reply:
    | NodeReplyOf<R>
    /** Three heartbeats missed: the node is gone. */
    | { readonly type: 'lost'; readonly message: string }
    /** It lives but did not answer within the window. */
    | { readonly type: 'silent'; readonly message: string };
  /** Most consecutive heartbeats missed meanwhile. */
  readonly missedHeartbeats: number;
}

export type AskPatiently = <R extends NodeRequest>(
  providerId: string,
  request: R,
  options: { readonly windowMs: number },
) => Promise<Answer<R>>;

/**
 * Asks a node until it answers, its window ends or its heartbeats stop. Every request to a node may come twice, so a
 * dropped connection is simply asked again; what tells a crash from a bad link are the heartbeats.
 */
export const createAskPatiently = ({
  gateway,
  heartbeats,
  now,
}: {
  readonly gateway: NodeGateway;
  readonly heartbeats: Heartbeats;
  readonly now: () => string;
}): AskPatiently => {
  const missedBy = async (providerId: string, since: string): Promise<number> => {
    const [seen, hearableMs] = await Promise.all([
      heartbeats.lastSeen(providerId),
      heartbeats.hearableMs(providerId),
    ]);
    // A node that has never been seen is counted from when it was asked; nobody is from before it could be heard.
    const silentMs = Math.min(msBetween(seen ?? since, now()), hearableMs);
    return Math.max(0, Math.floor(silentMs / (HEARTBEAT_SECONDS * 1000)));
  };

  return async (providerId, request, { windowMs }) => {
    const context = Context.current();
    const startedAt = now();
    /** Time in which the engine had no way to the node: it does not count against its window. */
    let excusedMs = 0;
    let missedHeartbeats = 0;
    let lost = false;
    const gone = new AbortController();
    const watch = async (): Promise<void> => {
      const missed = await missedBy(providerId, startedAt);
      missedHeartbeats = Math.max(missedHeartbeats, missed);
      context.heartbeat(missed);
      if (missed >= MISSED_HEARTBEATS) {
        lost = true;
        gone.abort();
      }
    };
    const pulse = setInterval(
      () => void watch().catch((error: unknown) => context.log.warn(String(error))),
      PULSE_MS,
    );
    const signal = AbortSignal.any([gone.signal, context.cancellationSignal]);
    try {
      for (;;) {
        const askedAt = now();
        const left = windowMs + excusedMs - msBetween(startedAt, askedAt);
        if (left <= 0) return { reply: { type: 'silent', message: 'no answer in time' }, missedHeartbeats };
        const reply = await gateway.request(providerId, request, { timeoutMs: left, signal });
        context.cancellationSignal.throwIfAborted();
        if (reply.type !== 'unreachable') return { reply, missedHeartbeats };
        await watch();
        if (lost) return { reply: { type: 'lost', message: 'three heartbeats missed' }, missedHeartbeats };
        await context.sleep(RETRY_MS);
        if (reply.cause === 'engine') excusedMs += msBetween(askedAt, now());
      }
    } finally {
      clearInterval(pulse);
    }
  };
};
