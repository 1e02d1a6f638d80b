import { upgradeWebSocket } from '@hono/node-server';
import type { Logger } from 'pino';
import type { WebSocket } from 'ws';
import type { Credentials, Principal } from '../../infra/keys/credentials.ts';
import { createPlaces, type NoPlace } from '../../infra/rate-limits/places.ts';
import { memoryWindows } from '../../infra/rate-limits/windows.ts';
import { authenticate } from '../auth/authenticate.ts';
import type { Api } from '../environment.ts';
import { noPlace } from '../no-place.ts';
import type { RateLimiter } from '../rate-limit.ts';
import { ANONYMOUS } from '../roles.ts';
import { sendProblem } from '../send.ts';
import { REALTIME_PATH } from './describe.ts';
import type { Hub } from './hub.ts';
import { createOutgoing, type Outgoing, type Sending } from './outgoing.ts';
import { createSession, type Session, SLOW_CONSUMER, type Socket } from './session.ts';

/** A client that answers no ping for this long is gone. */
const HEARTBEAT_MS = 30_000;
/** Sockets at once: in all, of each principal, of each network. */
const SOCKETS = { total: 512, ofPrincipal: 16, ofNetwork: 128 };
/** Sockets that a principal opens within a minute: each may ask for the whole log. */
const OPENED = 120;
/** Frames of a client within so many ms. */
const MAX_SAID = 40;
const TALK_MS = 10_000;
/** RFC 6455 status "policy violation": the identity is no longer valid, or no longer what it was. */
const IDENTITY_ENDED = 1008;

export interface RealtimeDependencies {
  readonly hub: Hub;
  readonly credentials: Credentials;
  readonly limiter: RateLimiter;
  readonly logger: Logger;
}

const socketOf = (ws: WebSocket, outgoing: Outgoing): Socket => {
  let last: Promise<void> = Promise.resolve();
  return {
    send: (frame) => {
      // What a client had said before it was cut off is answered to nobody.
      if (ws.readyState !== ws.OPEN) return;
      const sent = Promise.withResolvers<void>();
      ws.send(frame, (error) => {
        outgoing.note(ws);
        if (error) sent.reject(error);
        else sent.resolve();
      });
      outgoing.note(ws);
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

/** Ends a connection that says more than anybody has to say. */
const boundTalk = (ws: WebSocket): void => {
  let since = performance.now();
  let said = 0;
  const count = (): void => {
    const now = performance.now();
    if (now - since > TALK_MS) {
      since = now;
      said = 0;
    }
    said += 1;
    if (said <= MAX_SAID) return;
    // Thousands more may have come in the same piece.
    ws.removeAllListeners('message');
    ws.terminate();
  };
  ws.on('message', count);
  ws.on('ping', count);
};

/** `/ws`: the identity is checked before the connection is accepted (R30); everything after is the session's. */
export const mountRealtime = (
  api: Api,
  { hub, credentials, limiter, logger }: RealtimeDependencies,
): void => {
  const outgoing = createOutgoing();
  const opened = memoryWindows();
  const ofPrincipal = createPlaces({ total: SOCKETS.total, each: SOCKETS.ofPrincipal });
  const ofNetwork = createPlaces({ total: SOCKETS.total, each: SOCKETS.ofNetwork });

  /** A place for one more socket: what gives it back, or why there is none. */
  const enter = (principal: Principal, network: string): (() => void) | NoPlace => {
    const leave = ofPrincipal.take(principal.id);
    if (typeof leave === 'string') return leave;
    const leaveNetwork = ofNetwork.take(network);
    if (typeof leaveNetwork !== 'string')
      return () => {
        leave();
        leaveNetwork();
      };
    leave();
    return leaveNetwork;
  };

  api.get(
    REALTIME_PATH,
    async (c, next) => {
      c.set('endpoint', REALTIME_PATH);
      const principal = await authenticate(c, credentials);
      if (principal) c.set('principal', principal);
      if (!(await limiter.admit(c, principal ?? ANONYMOUS))) {
        return sendProblem(c, { code: 'RATE_LIMIT_EXCEEDED', message: 'too many connections' });
      }
      if (!principal || principal === ANONYMOUS) {
        return sendProblem(c, { code: 'AUTHENTICATION_FAILED', message: 'a token or an API key is needed' });
      }
      const { admitted } = await opened.spend(principal.id, OPENED);
      const place = admitted ? enter(principal, c.get('network')) : 'own';
      if (typeof place === 'string') return sendProblem(c, noPlace(place, 'sockets'));
      // Taken again when the socket is there: a request that is no upgrade has none.
      place();
      return next();
    },
    upgradeWebSocket((c) => {
      const principal = c.get('principal') as Principal;
      let session: Session | undefined;
      let stopWatching: (() => void) | undefined;
      let leave: (() => void) | undefined;
      let counted: Sending | undefined;
      const close = (): void => {
        stopWatching?.();
        session?.end();
        leave?.();
        if (counted) outgoing.forget(counted);
      };
      return {
        onOpen: (_event, { raw }) => {
          const ws = raw as unknown as WebSocket;
          const place = enter(principal, c.get('network'));
          if (typeof place === 'string') return ws.close(SLOW_CONSUMER, 'too many sockets');
          leave = place;
          counted = ws;
          boundTalk(ws);
          session = createSession({ principal, socket: socketOf(ws, outgoing), hub, logger });
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
