import { setTimeout as delay } from 'node:timers/promises';
import type { Identity } from '../../support/rest.ts';

/** How long a request is asked for before it counts as lost, ms. */
const PATIENCE_MS = 120_000;
const PAUSE_MS = 100;

export interface Asked {
  readonly path: string;
  /** A POST with this JSON; else a GET. */
  readonly body?: object;
  readonly key?: string;
}

export interface PatientAnswer<Body> {
  readonly status: number;
  readonly body: Body;
}

/** A client of several APIs, as README tells clients to be. */
export interface PatientClient {
  /**
   * Asks one API and then, after a broken connection or a 503, the next one: with the same Idempotency-Key, under which
   * the first may still be at work (409).
   */
  ask<Body>(asked: Asked): Promise<PatientAnswer<Body>>;
  /** Requests that nobody answered in time, or answered with another 5xx: what they asked for, and why. */
  readonly lost: readonly string[];
  /** How often a request was sent once more, by reason. */
  readonly repeats: ReadonlyMap<string, number>;
  /** How many requests got their answer. */
  answered(): number;
}

const reasonOf = (error: unknown): string => {
  const { cause, message } = error as Error & { cause?: { code?: string } };
  return cause?.code ?? message;
};

export const createPatientClient = (apis: readonly string[], identity: Identity): PatientClient => {
  const lost: string[] = [];
  const repeats = new Map<string, number>();
  let turn = 0;
  let answered = 0;

  const attempt = async ({ path, body, key }: Asked, api: string): Promise<PatientAnswer<unknown>> => {
    const headers: Record<string, string> = { ...identity, 'Content-Type': 'application/json' };
    if (key !== undefined) headers['Idempotency-Key'] = key;
    const response = await fetch(`${api}${path}`, {
      headers,
      ...(body && { method: 'POST', body: JSON.stringify(body) }),
    });
    return { status: response.status, body: await response.json() };
  };

  return {
    lost,
    repeats,
    answered: () => answered,
    async ask<Body>(asked: Asked) {
      const { path } = asked;
      const since = performance.now();
      let at = turn++;
      for (let isRetry = false; ; isRetry = true) {
        let reason: string;
        try {
          const answer = await attempt(asked, apis[at % apis.length] as string);
          const { status } = answer;
          if (status !== 503 && !(isRetry && status === 409)) {
            if (status >= 500) lost.push(`${path}: ${JSON.stringify(answer)}`);
            answered += 1;
            return answer as PatientAnswer<Body>;
          }
          reason = `${status} ${(answer.body as { detail?: string }).detail}`;
        } catch (error) {
          reason = reasonOf(error);
        }
        if (performance.now() - since > PATIENCE_MS) {
          lost.push(`${path}: ${reason}`);
          throw new Error(`${path} got no answer: ${reason}`);
        }
        repeats.set(reason, (repeats.get(reason) ?? 0) + 1);
        at += 1;
        await delay(PAUSE_MS);
      }
    },
  };
};
