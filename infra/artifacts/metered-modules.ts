import type { Pool } from 'pg';
import type { MeteredModule, MeteredModules, Metering } from '../../domain/ports/metered-modules.ts';
import type { Countersigner } from './references.ts';

const METERING_DOMAIN = 'aivillage-metering-v1';

/** What the engine countersigns, one fact per line. */
const statement = (sha256: string, { version, moduleHash }: Metering): string =>
  [sha256, String(version), moduleHash].join('\n');

/** Whether the countersignature of a record is ours. */
export const isMeteringSigned = (
  signer: { verify(domain: string, message: string, signature: string): boolean },
  { sha256, metering, signature }: MeteredModule,
): boolean => signer.verify(METERING_DOMAIN, statement(sha256, metering), signature);

/** Metered modules as rows of `engine.metered_modules`. */
export const createMeteredModules = ({
  pool,
  signer,
}: {
  pool: Pool;
  signer: Countersigner;
}): MeteredModules => {
  const find = async (sha256: string, version: number): Promise<MeteredModule | null> => {
    const { rows } = await pool.query<{ metered_sha256: string; signature: string }>(
      'select metered_sha256, signature from engine.metered_modules where sha256 = $1 and version = $2',
      [sha256, version],
    );
    const [row] = rows;
    if (!row) return null;
    return { sha256, metering: { version, moduleHash: row.metered_sha256 }, signature: row.signature };
  };
  return {
    find,
    record: async (sha256, metering) => {
      await pool.query(
        `insert into engine.metered_modules (sha256, version, metered_sha256, signature)
         values ($1, $2, $3, $4) on conflict do nothing`,
        [
          sha256,
          metering.version,
          metering.moduleHash,
          signer.sign(METERING_DOMAIN, statement(sha256, metering)),
        ],
      );
      const stored = await find(sha256, metering.version);
      if (!stored) throw new Error(`the metering of ${sha256} vanished while it was stored`);
      return stored;
    },
  };
};
