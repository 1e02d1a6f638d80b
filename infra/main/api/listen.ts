import { once } from 'node:events';
import type { Server } from 'node:http';
import { createAdaptorServer, type WebSocketServerLike } from '@hono/node-server';
import { WebSocketServer } from 'ws';
import type { Api } from '../../../api/environment.ts';

/** Largest frame that is read at all: one above the API's own limit gets an answer, one above this ends the socket. */
const MAX_PAYLOAD_BYTES = 8 * 1024 * 1024;
/** How long requests may take to end when the process stops. */
const GRACE_MS = 3000;
/** RFC 6455 status "going away". */
const GOING_AWAY = 1001;

export interface Listening {
  readonly port: number;
  /** Takes no more connections, lets requests end for a moment, tells sockets to resume elsewhere. */
  stop(): Promise<void>;
}

/** Serves `api` on loopback. @throws when the port is taken. */
export const listen = async (api: Api, port: number): Promise<Listening> => {
  // No compression: it costs five times the CPU of a frame (tooling, WebSocket fan-out).
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_PAYLOAD_BYTES,
    perMessageDeflate: false,
  });
  const server = createAdaptorServer({
    fetch: (request, env) => api.fetch(request, env),
    // ws declares `noServer` optional; it is set right above.
    websocket: { server: sockets as unknown as WebSocketServerLike },
  }) as Server;
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');

  return {
    port: address.port,
    stop: async () => {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets.clients) socket.close(GOING_AWAY, 'the server stops; resume with from');
      server.closeIdleConnections();
      const timer = setTimeout(() => {
        for (const socket of sockets.clients) socket.terminate();
        server.closeAllConnections();
      }, GRACE_MS);
      await closed;
      clearTimeout(timer);
    },
  };
};
