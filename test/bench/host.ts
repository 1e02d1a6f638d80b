import { openEngine } from '../support/open-engine.ts';
import { settleAuctionCase } from './cases/settle-auction.ts';
import type { OpenSuite, Suite } from './harness.ts';
import { opened, temporaryServers } from './temporary.ts';

const open = (): Promise<OpenSuite> =>
  opened(async (started) => {
    const servers = await temporaryServers(started);
    const postgres = await servers.postgres(true);
    const temporal = await servers.temporal();
    const engine = await openEngine({ databaseUrl: postgres.url, address: temporal.address });
    started.defer(() => engine.stop());
    const settle = await settleAuctionCase(engine, temporal.address, temporal.pid);
    started.defer(() => settle.close());
    return { cases: [settle.case] };
  });

/** The durable host beside bare Temporal. */
export const suite: Suite = { name: 'host', open };
