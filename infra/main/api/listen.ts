import { once } from 'node:events';
import type { Server, ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { createAdaptorServer, type WebSocketServerLike } from '@hono/node-server';
import { WebSocketServer } from 'ws';
import type { Api } from '../../../api/environment.ts';
import { boundIncoming } from './incoming.ts';

/** Largest frame that is read at all: one above the API's own limit gets an answer, one above this ends the socket. */
const MAX_PAYLOAD_BYTES = 2 * 1024 * 1024;
/** Pieces that a message may come in: 1 MiB over a link that splits it into the smallest usual packets. */
const MAX_PIECES = 4_096;
const MAX_FRAGMENTS = 64;
/** How long a socket that is closed may take to read what waits for it, ms. */
const CLOSE_MS = 10_000;
/** Connections of any kind, and how long a request may take to arrive, ms: an upload of the largest size in two minutes. */
const MAX_CONNECTIONS = 768;
const HEADERS_MS = 15_000;
const REQUEST_MS = 120_000;
/** Half a second in which clients that keep a connection learn, with an answer, that they should leave. */
const LOOK_MS = 20;
const FAREWELL_LOOKS = 25;
/** How long requests may take to end when the process stops: less than anybody waits before the process is ended. */
const GRACE_MS = 8_000;
/** RFC 6455 status "going away". */
const GOING_AWAY = 1001;

export interface Listening {
  readonly port: number;
  /**
   * Answers what was asked, and for a moment what is still being asked, each answer ending its connection; tells sockets
   * to resume elsewhere; then takes no more connections. What was taken is answered, unless it takes too long.
   */
  stop(): Promise<void>;
}

/** Marks answers as the last of their connections: of requests that are under way, and of those that come. */
const createFarewell = (server: Server) => {
  const open = new Set<ServerResponse>();
  let isLeaving = false;
  const end = (response: ServerResponse): void => {
    if (!response.headersSent) response.setHeader('Connection', 'close');
  };
  server.prependListener('request', (_request, response) => {
    open.add(response);
    response.once('close', () => open.delete(response));
    if (isLeaving) end(response);
  });
  return (): void => {
    isLeaving = true;
    for (const response of open) end(response);
  };
};

/** Resolves when `server` has no connection left, or after so many looks: a process that was stalled has lost no time. */
const untilLeft = async (server: Server): Promise<void> => {
  const count = promisify(server.getConnections.bind(server));
  for (let look = 0; look < FAREWELL_LOOKS && (await count()) > 0; look++) await delay(LOOK_MS);
};

/** Serves `api` on loopback. @throws when the port is taken. */
export const listen = async (api: Api, port: number): Promise<Listening> => {
  // No compression: it costs five times the CPU of a frame (tooling, WebSocket fan-out).
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_PAYLOAD_BYTES,
    maxBufferedChunks: MAX_PIECES,
    maxFragments: MAX_FRAGMENTS,
    // ws has it, its types do not yet.
    ...({ closeTimeout: CLOSE_MS } as object),
    perMessageDeflate: false,
  });
  boundIncoming(sockets);
  const server = createAdaptorServer({
    fetch: (request, env) => api.fetch(request, env),
    // ws declares `noServer` optional; it is set right above.
    websocket: { server: sockets as unknown as WebSocketServerLike },
  }) as Server;
  server.maxConnections = MAX_CONNECTIONS;
  server.headersTimeout = HEADERS_MS;
  server.requestTimeout = REQUEST_MS;
  const farewell = createFarewell(server);
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');

  const stop = async (): Promise<void> => {
    farewell();
    for (const socket of sockets.clients) socket.close(GOING_AWAY, 'the server stops; resume with from');
    await untilLeft(server);
    const closed = once(server, 'close');
    // Ends connections that are idle; the others end with their answers.
    server.close();
    const timer = setTimeout(() => {
      for (const socket of sockets.clients) socket.terminate();
      server.closeAllConnections();
    }, GRACE_MS);
    await closed;
    clearTimeout(timer);
  };
  let stopped: Promise<void> | undefined;
  return {
    port: address.port,
    stop: () => {
      stopped ??= stop();
      return stopped;
    },
  };
};
