import type { Pool } from 'pg';
import type { Component, Probed } from '../../../api/health.ts';
import type { EventStore } from '../../../domain/ports/event-store.ts';
import type { Signer } from '../../keys/signer.ts';
import type { TransparencyLog } from '../../tlog/transparency-log.ts';
import { equalBytes } from '../../verify/bytes.ts';
import { verifyCheckpoint } from '../../verify/index.ts';

export interface ProofHealthDeps {
  readonly pool: Pool;
  readonly store: Pick<EventStore, 'head'>;
  readonly signer: Signer;
  readonly transparency: Pick<TransparencyLog, 'newest' | 'rootAt'>;
}

/** Events are signed within a second; this is late. */
const LATE_MS = 10_000;
const DOMAIN = 'aivillage-health';

const down = (cause: string): Probed => ({ status: 'down', cause });

/** Signs a fresh text, and holds the signature against it and against another one. */
const signs = (signer: Signer, text: string): boolean => {
  const signature = signer.sign(DOMAIN, text);
  return signer.verify(DOMAIN, text, signature) && !signer.verify(DOMAIN, `${text}!`, signature);
};

const ageOf = async (pool: Pool, position: bigint): Promise<number | null> => {
  const { rows } = await pool.query<{ ageMs: number }>(
    `select (extract(epoch from clock_timestamp() - recorded_at) * 1000)::float8 as "ageMs"
       from log.events where position = $1`,
    [String(position)],
  );
  return rows[0]?.ageMs ?? null;
};

/**
 * Whether what the engine signs can be proven: its key signs and verifies, the newest head of the log verifies and is
 * that of the stored tree, and heads follow the log. `lag` is in events.
 */
export const proofHealth = ({ pool, store, signer, transparency }: ProofHealthDeps): Component => ({
  critical: false,
  probe: async () => {
    const newest = await transparency.newest();
    // After the newest head: it can only have become longer.
    const { position } = await store.head();
    const size = newest?.size ?? 0n;
    if (!signs(signer, `${position} ${size}`)) return down('what the engine signs does not verify');
    if (newest) {
      const { note: checkpoint, publicKey, root } = newest;
      const verdict = verifyCheckpoint({ checkpoint, publicKey });
      if (!verdict.valid) return down(`the newest signed head does not verify: ${verdict.code}`);
      if (!equalBytes(await transparency.rootAt(size), root))
        return down('the newest signed head is not that of the stored tree');
    }
    const lag = Number(position - size);
    if (lag === 0) return { status: 'ok', lag };
    const ageMs = (await ageOf(pool, size + 1n)) ?? 0;
    return ageMs > LATE_MS
      ? { status: 'degraded', lag, cause: `an event of ${Math.round(ageMs / 1000)} s ago is not signed yet` }
      : { status: 'ok', lag };
  },
});
