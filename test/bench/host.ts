import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPostgres } from '../../infra/stack/postgres.ts';
import { startTemporal } from '../../infra/stack/temporal.ts';
import { openEngine } from '../support/open-engine.ts';
import { settleAuctionCase } from './cases/settle-auction.ts';
import type { OpenSuite, Suite } from './harness.ts';

/** What was started is stopped in reverse order, also when something that should start after it does not. */
const open = async (): Promise<OpenSuite> => {
  const started = new AsyncDisposableStack();
  try {
    const directory = await mkdtemp(join(tmpdir(), 'aivillage-bench-'));
    started.defer(() => rm(directory, { recursive: true, force: true }));
    // As root, the server runs as another user.
    await chmod(directory, 0o755);
    const postgres = await startPostgres({
      directory: join(directory, 'postgres'),
      logFile: join(directory, 'postgres.log'),
      password: null,
      durable: true,
    });
    started.defer(async () => void (await postgres.stop()));
    const temporal = await startTemporal({
      env: process.env,
      report: (line) => process.stderr.write(`${line}\n`),
      file: join(directory, 'temporal.db'),
      logFile: join(directory, 'temporal.log'),
      ui: false,
    });
    started.defer(async () => void (await temporal.stop()));
    const engine = await openEngine({ databaseUrl: postgres.url, address: temporal.address });
    started.defer(() => engine.stop());
    const settle = await settleAuctionCase(engine, temporal.address, temporal.pid);
    started.defer(() => settle.close());
    return { cases: [settle.case], close: () => started.disposeAsync() };
  } catch (error) {
    await started.disposeAsync();
    throw error;
  }
};

/** The durable host beside bare Temporal. */
export const suite: Suite = { name: 'host', open };
