import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WebSocket, WebSocketServer } from 'ws';
import { release } from '../../memory/release.ts';

/** What half-sent messages of all sockets may take together. */
const MAX_INCOMING_BYTES = 8 * 1024 * 1024;
/** What a piece costs beside its bytes: whoever sends single bytes makes as many of them. */
const PIECE_BYTES = 512;
/** Least bytes of a frame beside its payload: the header and the mask of a client. */
const FRAME_BYTES = 6;

interface Pending {
  /** Received and not part of a whole message yet. */
  bytes: number;
  /** What came since the last whole message, and the piece that one ended in; without pieces of control frames alone. */
  pieces: Buffer[];
  /** Bytes of the last piece that were control frames. */
  controls: number;
}

const costOf = (piece: Buffer | undefined): number => (piece ? piece.length + PIECE_BYTES : 0);

/**
 * Counts what `sockets` have received of messages that are not whole, in pieces and in sum. Beyond `most` whoever has
 * sent the largest part is cut off, until it fits.
 */
export const boundIncoming = (sockets: WebSocketServer, most = MAX_INCOMING_BYTES): void => {
  const pending = new Map<WebSocket, Pending>();
  let sum = 0;

  const pendingOf = (socket: WebSocket): Pending => {
    const known = pending.get(socket) ?? { bytes: 0, pieces: [], controls: 0 };
    pending.set(socket, known);
    return known;
  };
  const set = (known: Pending, bytes: number): void => {
    sum += bytes - known.bytes;
    known.bytes = bytes;
  };
  const drop = (socket: WebSocket): void => {
    sum -= pending.get(socket)?.bytes ?? 0;
    pending.delete(socket);
  };
  const cutOff = (socket: WebSocket, { pieces }: Pending): void => {
    drop(socket);
    socket.terminate();
    release(...pieces);
  };
  const received = (socket: WebSocket, piece: Buffer): void => {
    const known = pendingOf(socket);
    known.pieces.push(piece);
    known.controls = 0;
    set(known, known.bytes + costOf(piece));
    while (sum > most)
      cutOff(...[...pending].reduce((worst, each) => (each[1].bytes > worst[1].bytes ? each : worst)));
  };
  /** A frame is whole: what is left can be no more than the last piece had. */
  const whole = (socket: WebSocket, payload: number): void => {
    const known = pendingOf(socket);
    known.pieces = known.pieces.slice(-1);
    set(known, Math.max(0, Math.min(known.bytes - payload - FRAME_BYTES, costOf(known.pieces[0]))));
  };
  /** A control frame may come in the middle of a message: it takes its own bytes away alone. */
  const control = (socket: WebSocket, payload: number): void => {
    const known = pendingOf(socket);
    known.controls += payload + FRAME_BYTES;
    set(known, Math.max(0, known.bytes - payload - FRAME_BYTES));
    if (known.controls !== known.pieces.at(-1)?.length) return;
    // It held nothing else. Who listens for days and only answers pings would look like one that never ends a message.
    known.pieces.pop();
    known.controls = 0;
    set(known, Math.max(0, known.bytes - PIECE_BYTES));
  };

  sockets.on('connection', (socket: WebSocket, request: IncomingMessage) => {
    const stream: Duplex = request.socket;
    stream.prependListener('data', (piece: Buffer) => received(socket, piece));
    socket.on('message', (data) => whole(socket, (data as Buffer).length));
    socket.on('ping', (data) => control(socket, data.length));
    socket.on('pong', (data) => control(socket, data.length));
    socket.on('close', () => drop(socket));
  });
};
