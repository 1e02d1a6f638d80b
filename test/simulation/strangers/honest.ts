import { createHash, randomBytes } from 'node:crypto';
import { Agent, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { slaProofOf } from '../../../infra/verify/observed.fixture.ts';

/** How one kind of thing that an honest user does went. */
export interface Served {
  readonly done: number;
  /** Refusals on the way, each tried again when it said. */
  readonly refused: number;
  /** Longest time from the first try to the success, ms. */
  readonly longestMs: number;
}

interface Answer {
  readonly status: number;
  readonly retryAfterMs: number;
  readonly body: Buffer;
}

/** A user does not share the network of the strangers, nor what that network may ask. */
const OWN_ADDRESS = '127.0.1.1';
const UPLOAD_BYTES = 256 * 1024;
const PAUSE_MS = 500;
const REFUSED = [429, 503];

/**
 * An honest user of `apiUrl` with a key of its own, who stores and reads back an artefact, and has a proof verified, again and
 * again, and comes back when it is told to. `until` says when it ends, on the clock of `performance`.
 * @throws Error when something goes wrong other than a refusal that says when to come again.
 */
export const honestUser = async (
  apiUrl: string,
  key: string,
  until: number,
): Promise<{ readonly uploads: Served; readonly proofs: Served }> => {
  const agent = new Agent({ keepAlive: true, localAddress: OWN_ADDRESS });
  const once = (method: string, path: string, mediaType: string, body?: Uint8Array): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const headers = { 'X-API-Key': key, 'Content-Type': mediaType, 'Content-Length': body?.length ?? 0 };
      const asking = request(`${apiUrl}${path}`, { agent, method, headers }, (response) => {
        const pieces: Buffer[] = [];
        response.on('data', (piece: Buffer) => pieces.push(piece));
        response.once('error', reject);
        response.once('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            retryAfterMs: 1000 * Number(response.headers['retry-after'] ?? Number.NaN),
            body: Buffer.concat(pieces),
          }),
        );
      });
      asking.once('error', reject);
      asking.end(body);
    });

  type Ask = (...asked: Parameters<typeof once>) => Promise<Buffer>;
  const again = async (work: (ask: Ask) => Promise<void>): Promise<Served> => {
    const served = { done: 0, refused: 0, longestMs: 0 };
    const ask: Ask = async (...asked) => {
      for (;;) {
        const { status, retryAfterMs, body } = await once(...asked);
        if (status >= 200 && status < 300) return body;
        if (!REFUSED.includes(status) || Number.isNaN(retryAfterMs))
          throw new Error(`an honest user got ${status} for ${asked[0]} ${asked[1]}: ${body.toString()}`);
        served.refused += 1;
        await delay(retryAfterMs);
      }
    };
    while (performance.now() < until) {
      const began = performance.now();
      await work(ask);
      served.done += 1;
      served.longestMs = Math.max(served.longestMs, performance.now() - began);
      await delay(PAUSE_MS);
    }
    return served;
  };

  const upload = async (ask: Ask): Promise<void> => {
    const bytes = randomBytes(UPLOAD_BYTES);
    const path = `/v1/artifacts/${createHash('sha256').update(bytes).digest('hex')}`;
    await ask('PUT', path, 'application/octet-stream', bytes);
    const stored = await ask('GET', path, 'application/octet-stream');
    if (!stored.equals(bytes)) throw new Error('an honest user got other bytes back');
    await ask('DELETE', path, 'application/octet-stream');
  };

  const up = [{ state: 'up', count: 1000 } as const];
  const proof = Buffer.from(JSON.stringify({ proof: slaProofOf([up, up, up]) }));
  const verify = async (ask: Ask): Promise<void> => {
    const verdict = await ask('POST', '/v1/fog/proofs/verify', 'application/json', proof);
    if ((JSON.parse(verdict.toString()) as { valid?: unknown }).valid !== true)
      throw new Error('an honest proof was found not valid');
  };

  try {
    const [uploads, proofs] = await Promise.all([again(upload), again(verify)]);
    return { uploads, proofs };
  } finally {
    agent.destroy();
  }
};
