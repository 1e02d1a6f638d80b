import pino from 'pino';
import { createApp } from '../../api/app.ts';
import type { Route } from '../../api/define-route.ts';
import { createOwnership } from '../../api/log-access/ownership.ts';
import { createMetrics } from '../../api/metrics.ts';
import { createRateLimiter, type RateLimits } from '../../api/rate-limit.ts';
import { createHub, type Hub } from '../../api/realtime/hub.ts';
import { createMemoryEventStore } from '../../infra/event-store/memory/store.ts';
import type { IdempotencyKeys, StoredAnswer } from '../../infra/idempotency/keys.ts';
import type { Credentials, Principal } from '../../infra/keys/credentials.ts';
import { createProxies } from '../../infra/rate-limits/proxies.ts';

export const NOW = '2026-01-01T00:00:00.000Z';

/** Principals whose API key is their name. */
export const PRINCIPALS: Readonly<Record<string, Principal>> = {
  submitter: { id: 'subject-submitter', roles: ['submitter'], premium: false },
  provider: { id: 'subject-provider', roles: ['provider'], premium: false },
  operator: { id: 'subject-operator', roles: ['operator'], premium: false },
  auditor: { id: 'subject-auditor', roles: ['auditor'], premium: false },
  admin: { id: 'subject-admin', roles: ['admin'], premium: false },
  premium: { id: 'subject-premium', roles: ['submitter'], premium: true },
};

export const knownCredentials = (): Credentials => {
  const find = async (name: string): Promise<Principal | null> => PRINCIPALS[name] ?? null;
  return {
    byApiKey: find,
    byToken: find,
    byPublicKey: async () => null,
    exists: async (id) => Object.values(PRINCIPALS).some((principal) => principal.id === id),
    forget: () => undefined,
    disable: async () => undefined,
  };
};

/** Idempotency keys in memory, with the rules of the table. */
export const memoryKeys = (): IdempotencyKeys => {
  const rows = new Map<string, { request: string; answer: StoredAnswer | null; held: boolean }>();
  return {
    claim: async (principal, key, request) => {
      const row = rows.get(`${principal}|${key}`);
      if (!row) {
        rows.set(`${principal}|${key}`, { request, answer: null, held: true });
        return { type: 'claimed' };
      }
      if (row.request !== request) return { type: 'mismatch' };
      if (row.answer) return { type: 'answered', answer: row.answer };
      if (row.held) return { type: 'in-flight' };
      row.held = true;
      return { type: 'claimed' };
    },
    complete: async (principal, key, answer) => {
      const row = rows.get(`${principal}|${key}`);
      if (row) row.answer = answer;
    },
    release: async (principal, key) => {
      const row = rows.get(`${principal}|${key}`);
      if (row) row.held = false;
    },
    sweep: async () => rows.clear(),
    close: async () => undefined,
  };
};

const GENEROUS: RateLimits = { anonymous: 1000, authenticated: 1000, premium: 1000, network: 10_000 };

interface AppOptions {
  readonly credentials?: Credentials;
  readonly limits?: Partial<RateLimits>;
  /** Proxies that are believed. */
  readonly trusted?: readonly string[];
  readonly origins?: readonly string[];
  readonly hub?: Hub;
  /** Gets every line of the log. */
  readonly log?: (line: string) => void;
}

const logger = pino({ level: 'silent' });

const quietHub = (): Hub => {
  const store = createMemoryEventStore();
  return createHub({ store, ownership: createOwnership(store), logger, from: 0n });
};

/** The API over `routes`. Every answer is checked against its schema. */
export const appFor = (
  routes: readonly Route[],
  {
    limits = {},
    trusted = [],
    origins = [],
    hub = quietHub(),
    log,
    credentials = knownCredentials(),
  }: AppOptions = {},
) => {
  const metrics = createMetrics({ lag: async () => ({}) });
  const api = createApp({
    routes,
    hub,
    metrics,
    logger: log ? pino({}, { write: log }) : logger,
    origins,
    proxies: createProxies(trusted),
    credentials,
    limiter: createRateLimiter({ ...GENEROUS, ...limits }),
    idempotency: memoryKeys(),
    now: () => NOW,
    checkResponses: true,
  });
  return { api, metrics };
};
