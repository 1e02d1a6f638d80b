/** A connection whose unsent bytes are counted. */
export interface Sending {
  readonly bufferedAmount: number;
  terminate(): void;
}

/** Bytes that may wait for all sockets of this process together. */
export const MAX_OUTGOING_BYTES = 8 * 1024 * 1024;

export interface Outgoing {
  /** Counts what waits for `socket` now. */
  note(socket: Sending): void;
  forget(socket: Sending): void;
  readonly bytes: () => number;
}

/** Bounds the sum of what clients have not read: beyond `most` whoever is furthest behind is cut off, until it fits. */
export const createOutgoing = (most = MAX_OUTGOING_BYTES): Outgoing => {
  const waiting = new Map<Sending, number>();
  let sum = 0;
  const set = (socket: Sending, bytes: number): void => {
    sum += bytes - (waiting.get(socket) ?? 0);
    if (bytes > 0) waiting.set(socket, bytes);
    else waiting.delete(socket);
  };
  return {
    bytes: () => sum,
    forget: (socket) => set(socket, 0),
    note: (socket) => {
      set(socket, socket.bufferedAmount);
      while (sum > most) {
        const [furthest] = [...waiting].reduce((worst, each) => (each[1] > worst[1] ? each : worst));
        set(furthest, 0);
        furthest.terminate();
      }
    },
  };
};
