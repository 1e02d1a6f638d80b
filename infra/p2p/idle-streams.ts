import type { Connection, Stream } from '@libp2p/interface';

/**
 * How long a stream waits for its next request, ms. The other end waits longer, so that none is sent into a stream that is
 * being closed: a minute of a process that was stopped included.
 */
export const MOST_IDLE_MS = 60_000;
/** Streams of one protocol that a connection keeps: what came at once comes at once again. */
const MOST_IDLE = 16;

interface Idle {
  readonly stream: Stream;
  readonly since: number;
  /** Closes the stream when the other end does. */
  readonly onClosed: () => void;
}

const idle = new WeakMap<Connection, Map<string, Idle[]>>();

const idleOf = (connection: Connection, protocol: string): Idle[] => {
  const protocols = idle.get(connection) ?? new Map<string, Idle[]>();
  idle.set(connection, protocols);
  const streams = protocols.get(protocol) ?? [];
  protocols.set(protocol, streams);
  return streams;
};

const release = ({ stream, onClosed }: Idle): void => {
  stream.removeEventListener('remoteCloseWrite', onClosed);
  stream.removeEventListener('close', onClosed);
};

const close = (stream: Stream): void => {
  stream.close().catch((error: unknown) => stream.abort(error as Error));
};

/** Whether both ends may go on: nothing waits to be sent, and nothing came that nobody asked for. */
const isFresh = (stream: Stream): boolean =>
  stream.status === 'open' &&
  stream.remoteWriteStatus === 'writable' &&
  stream.writeBufferLength === 0 &&
  stream.readBufferLength === 0;

/**
 * A stream on which an earlier request was answered: there a request takes 8 messages of the two ends, on a new one 22. Null
 * when none waits.
 * @param now monotonic ms
 */
export const takeIdle = (connection: Connection, protocol: string, now: number): Stream | null => {
  const streams = idleOf(connection, protocol);
  for (let last = streams.pop(); last; last = streams.pop()) {
    release(last);
    if (isFresh(last.stream) && now - last.since < MOST_IDLE_MS) return last.stream;
    close(last.stream);
  }
  return null;
};

/**
 * Keeps a stream whose request was answered for the next one.
 * @param now monotonic ms
 */
export const keepIdle = (connection: Connection, protocol: string, stream: Stream, now: number): void => {
  const streams = idleOf(connection, protocol);
  if (!isFresh(stream) || streams.length >= MOST_IDLE) return close(stream);
  const kept: Idle = {
    stream,
    since: now,
    onClosed: () => {
      const index = streams.indexOf(kept);
      if (index >= 0) streams.splice(index, 1);
      release(kept);
      close(stream);
    },
  };
  stream.addEventListener('remoteCloseWrite', kept.onClosed);
  stream.addEventListener('close', kept.onClosed);
  streams.push(kept);
};
