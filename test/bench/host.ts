import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPostgres } from '../../infra/stack/postgres.ts';
import { startTemporal } from '../../infra/stack/temporal.ts';
import { openEngine } from '../support/open-engine.ts';
import { settleAuctionCase } from './cases/settle-auction.ts';
import type { OpenSuite, Suite } from './harness.ts';

const open = async (): Promise<OpenSuite> => {
  const directory = await mkdtemp(join(tmpdir(), 'aivillage-bench-'));
  // As root, the server runs as another user.
  await chmod(directory, 0o755);
  const postgres = await startPostgres({
    directory: join(directory, 'postgres'),
    logFile: join(directory, 'postgres.log'),
    password: null,
    durable: true,
  });
  const temporal = await startTemporal({
    env: process.env,
    report: (line) => process.stderr.write(`${line}\n`),
    file: join(directory, 'temporal.db'),
    logFile: join(directory, 'temporal.log'),
    ui: false,
  });
  const engine = await openEngine({ databaseUrl: postgres.url, address: temporal.address });
  const settle = await settleAuctionCase(engine, temporal.address, temporal.pid);
  return {
    cases: [settle.case],
    close: async () => {
      await settle.close();
      await engine.stop();
      await temporal.stop();
      await postgres.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
};

/** The durable host beside bare Temporal. */
export const suite: Suite = { name: 'host', open };
