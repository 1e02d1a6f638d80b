import type { Logger } from 'pino';
import type { Principal } from '../../infra/keys/credentials.ts';
import { type Announcement, type ClientFrame, type FrameError, parseFrame, topicOf } from './frames.ts';
import type { Hub, Listener } from './hub.ts';
import { mayHear, maySubscribe, type Topic } from './topics.ts';

/** RFC 6455 status "try again later": the client fell behind and may resume with `from`. */
export const SLOW_CONSUMER = 1013;
/** Most bytes that may wait for one client. */
export const MAX_BUFFERED_BYTES = 1024 * 1024;

/** What a replay sends ahead of its client. */
const REPLAY_AHEAD_BYTES = 64 * 1024;
/** Replays that may wait for their turn. */
const MAX_REPLAYS = 8;

/** The socket as a session needs it. */
export interface Socket {
  send(frame: string): void;
  /** Bytes accepted by `send` and not yet taken by the network. */
  bufferedBytes(): number;
  /** Resolves when everything sent so far is with the network; rejects when the socket ends. */
  flushed(): Promise<void>;
  close(code: number, reason: string): void;
}

export interface Session extends Listener {
  receive(text: string): void;
  refuse(code: FrameError): void;
  end(): void;
}

/** A topic of a session. Until `live`, a replay is on its way and live events wait in the log. */
interface Subscription {
  readonly topic: Topic;
  live: boolean;
  /** Events up to here were sent or are not wanted. */
  after: bigint;
}

/**
 * One client: what it listens to, and its place in the log. Replays read the log page by page, at the client's pace; when one
 * has reached the hub, the switch to live events happens in the same turn, so nothing is missed and nothing comes twice.
 */
export const createSession = ({
  principal,
  socket,
  hub,
  logger,
}: {
  principal: Principal;
  socket: Socket;
  hub: Hub;
  logger: Logger;
}): Session => {
  const subscriptions = new Map<string, Subscription>();
  let replays: Promise<void> = Promise.resolve();
  /** Replays that are under way or wait for their turn. */
  let waiting = 0;
  let ended = false;

  /** Ends a client that has fallen too far behind: whatever is said to it waits in this process. */
  const boundQueue = (): void => {
    if (ended || socket.bufferedBytes() <= MAX_BUFFERED_BYTES) return;
    end();
    socket.close(SLOW_CONSUMER, 'too slow; resume with from');
  };

  const say = (frame: object): void => {
    if (ended) return;
    socket.send(JSON.stringify(frame));
    boundQueue();
  };
  const refuse = (code: FrameError, topic?: string): void =>
    say({ type: 'error', code, ...(topic === undefined ? {} : { topic }) });

  const send = (name: string, subscription: Subscription, announcement: Announcement): void => {
    const { event, owners } = announcement;
    if (event.position <= subscription.after) return;
    subscription.after = event.position;
    if (!mayHear(subscription.topic, principal, owners)) return;
    const frame = announcement.frame(name, subscription.topic);
    if (frame !== null) socket.send(frame);
  };

  const end = (): void => {
    ended = true;
    subscriptions.clear();
    hub.detach(session);
  };

  const deliver = (announcement: Announcement): void => {
    for (const [name, subscription] of subscriptions) {
      if (subscription.live) send(name, subscription, announcement);
    }
    boundQueue();
  };

  const replay = async (wanted: ReadonlyMap<string, Subscription>, from: bigint): Promise<void> => {
    let cursor = from;
    while (!ended) {
      const current = [...wanted].filter(([name, subscription]) => subscriptions.get(name) === subscription);
      if (current.length === 0) return;
      if (cursor >= hub.position()) {
        for (const [, subscription] of current) {
          subscription.after = cursor;
          subscription.live = true;
        }
        return;
      }
      for (const announcement of await hub.replay(cursor, () => !ended)) {
        for (const [name, subscription] of current) send(name, subscription, announcement);
        cursor = announcement.event.position;
        // The rest of the page is read again: nobody's slowness keeps it in memory.
        if (socket.bufferedBytes() > REPLAY_AHEAD_BYTES) break;
      }
      await socket.flushed();
    }
  };

  const subscribe = (names: readonly string[], from: bigint | undefined): void => {
    const added = new Map<string, Subscription>();
    for (const name of new Set(names)) {
      const topic = topicOf(name);
      if (!topic) refuse('UNKNOWN_TOPIC', name);
      else if (!maySubscribe(topic, principal)) refuse('TOPIC_FORBIDDEN', name);
      else added.set(name, { topic, live: from === undefined, after: from ?? hub.position() });
    }
    if (added.size === 0) return;
    if (from !== undefined && waiting >= MAX_REPLAYS) return refuse('PROCESSING_ERROR');
    for (const [name, subscription] of added) subscriptions.set(name, subscription);
    say({ type: 'subscribed', topics: [...added.keys()], from: String(from ?? hub.position()) });
    if (from === undefined) return;
    // One at a time: a client cannot make us read the log many times at once.
    waiting += 1;
    replays = replays
      .then(() => replay(added, from))
      .catch((error: unknown) => {
        if (ended) return;
        logger.warn({ err: error }, 'a replay failed');
        for (const [name, subscription] of added) {
          if (subscriptions.get(name) === subscription) subscriptions.delete(name);
        }
        refuse('PROCESSING_ERROR');
      })
      .finally(() => {
        waiting -= 1;
      });
  };

  const unsubscribe = (names: readonly string[]): void => {
    for (const name of names) subscriptions.delete(name);
    say({ type: 'unsubscribed', topics: [...new Set(names)] });
  };

  const handle = (frame: ClientFrame): void => {
    switch (frame.action) {
      case 'subscribe':
        return subscribe(frame.topics, frame.from);
      case 'unsubscribe':
        return unsubscribe(frame.topics);
      case 'ping':
        return say({ type: 'pong' });
    }
  };

  const session: Session = {
    deliver,
    end,
    refuse,
    receive: (text) => {
      const frame = parseFrame(text);
      if (typeof frame === 'string') refuse(frame);
      else handle(frame);
    },
  };
  hub.attach(session);
  return session;
};
