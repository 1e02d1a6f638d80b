import { upgradeWebSocket } from '@hono/node-server';
import type { Logger } from 'pino';
import type { WebSocket } from 'ws';
import type { Credentials, Principal } from '../../infra/keys/credentials.ts';
import { authenticate } from '../auth/authenticate.ts';
import type { Api } from '../environment.ts';
import type { RateLimiter } from '../rate-limit.ts';
import { ANONYMOUS } from '../roles.ts';
import { sendProblem } from '../send.ts';
import { REALTIME_PATH } from './describe.ts';
import type { Hub } from './hub.ts';
import { createSession, type Session, type Socket } from './session.ts';

/** A client that answers no ping for this long is gone. */
const HEARTBEAT_MS = 30_000;
/** RFC 6455 status "policy violation": the identity is no longer valid, or no longer what it was. */
const IDENTITY_ENDED = 1008;

export interface RealtimeDependencies {
  readonly hub: Hub;
  readonly credentials: Credentials;
  readonly limiter: RateLimiter;
  readonly logger: Logger;
}

const socketOf = (ws: WebSocket): Socket => {
  let last: Promise<void> = Promise.resolve();
  return {
    send: (frame) => {
      const sent = Promise.withResolvers<void>();
      ws.send(frame, (error) => (error ? sent.reject(error) : sent.resolve()));
      last = sent.promise;
      // Only a replay waits for it; a live frame that fails is followed by the socket's own end.
      last.catch(() => undefined);
    },
    bufferedBytes: () => ws.bufferedAmount,
    flushed: () => last,
    close: (code, reason) => ws.close(code, reason),
  };
};

/** Pings the client, and asks again whether its identity still holds; ends the connection when either fails. */
const keepWatch = (ws: WebSocket, stillValid: () => Promise<boolean>): (() => void) => {
  let answered = true;
  const beat = async (): Promise<void> => {
    if (!answered) return ws.terminate();
    answered = false;
    ws.ping();
    if (!(await stillValid())) ws.close(IDENTITY_ENDED, 'the identity is no longer valid');
  };
  ws.on('pong', () => {
    answered = true;
  });
  const timer = setInterval(() => {
    // A database that is away for a moment ends nobody's connection.
    beat().catch(() => undefined);
  }, HEARTBEAT_MS);
  return () => clearInterval(timer);
};

/** `/ws`: the identity is checked before the connection is accepted (R30); everything after is the session's. */
export const mountRealtime = (
  api: Api,
  { hub, credentials, limiter, logger }: RealtimeDependencies,
): void => {
  api.get(
    REALTIME_PATH,
    async (c, next) => {
      c.set('endpoint', REALTIME_PATH);
      const principal = await authenticate(c, credentials);
      if (!(await limiter.admit(c, principal ?? ANONYMOUS))) {
        return sendProblem(c, { code: 'RATE_LIMIT_EXCEEDED', message: 'too many connections' });
      }
      if (!principal || principal === ANONYMOUS) {
        return sendProblem(c, { code: 'AUTHENTICATION_FAILED', message: 'a token or an API key is needed' });
      }
      c.set('principal', principal);
      return next();
    },
    upgradeWebSocket((c) => {
      const principal = c.get('principal') as Principal;
      let session: Session | undefined;
      let stopWatching: (() => void) | undefined;
      const close = (): void => {
        stopWatching?.();
        session?.end();
      };
      return {
        onOpen: (_event, { raw }) => {
          const ws = raw as unknown as WebSocket;
          session = createSession({ principal, socket: socketOf(ws), hub, logger });
          // Subscriptions were granted to these roles: an identity that has lost one has to ask again.
          stopWatching = keepWatch(ws, async () => {
            const known = await authenticate(c, credentials);
            return known !== null && principal.roles.every((role) => known.roles.includes(role));
          });
        },
        onMessage: ({ data }) => {
          if (typeof data === 'string') session?.receive(data);
          else session?.refuse('INVALID_MESSAGE_TYPE');
        },
        onClose: close,
        onError: close,
      };
    }),
    (c) =>
      sendProblem(c, {
        code: 'INVALID_REQUEST',
        status: 400,
        message: 'this address speaks WebSocket only',
        errors: [{ field: 'Upgrade', rule: 'exactly websocket' }],
      }),
  );
};
