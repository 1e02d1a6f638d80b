import { createHash } from 'node:crypto';
import { ok, type Result, reject } from '../../domain/errors.ts';
import type { Engines } from './engines.ts';
import type { KeptArtifacts } from './kept-artifacts.ts';

/** Artefacts at the engine, seen from a node: fetched and stored by hash, for one of its enclaves. */
export interface NodeArtifacts {
  /** Bytes with exactly this hash, or why not. */
  fetch(sha256: string, enclaveId: string): Promise<Result<Uint8Array>>;
  store(sha256: string, enclaveId: string, bytes: Uint8Array): Promise<Result<null>>;
}

const FETCH_PATIENCE_MS = 20_000;
/** A result is worth waiting for an engine that restarts. */
const STORE_PATIENCE_MS = 5 * 60_000;

/** What a node has had to do with it keeps, as far as `kept` has room: it may be asked to prove it. */
export const createNodeArtifacts = (
  engines: Engines,
  kept: KeptArtifacts,
  nowMs: () => number,
): NodeArtifacts => ({
  async fetch(sha256, enclaveId) {
    const own = await kept.read(sha256);
    if (own) {
      await kept.keep(sha256, own);
      return ok(own);
    }
    const request = { type: 'fetch-artifact', sha256, enclaveId } as const;
    const reply = await engines.ask<'fetch-artifact'>(request, nowMs() + FETCH_PATIENCE_MS);
    if ('ok' in reply) return reply;
    const bytes = Buffer.from(reply.bytes, 'base64url');
    if (createHash('sha256').update(bytes).digest('hex') !== sha256) {
      return reject('RESOURCE_UNAVAILABLE', `the engine sent other bytes than ${sha256}`);
    }
    await kept.keep(sha256, bytes);
    return ok(bytes);
  },

  async store(sha256, enclaveId, output) {
    await kept.keep(sha256, output);
    const bytes = Buffer.from(output).toString('base64url');
    const request = { type: 'store-output', sha256, enclaveId, bytes } as const;
    const reply = await engines.ask<'store-output'>(request, nowMs() + STORE_PATIENCE_MS);
    return 'ok' in reply ? reply : ok(null);
  },
});
