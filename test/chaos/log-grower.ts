import { createPostgresEventStore } from '../../infra/event-store/postgres/store.ts';
import { createPool } from '../../infra/postgres/pool.ts';
import { followLog } from '../../infra/tlog/follow.ts';
import { createCheckpointSigner } from '../../infra/tlog/signer.ts';

/** A process that keeps the transparency log until it is killed. Arguments: connection string, seed in hex. */
const [url = '', seed = ''] = process.argv.slice(2);
const pool = createPool(url, { name: 'grower', max: 4 });
const store = createPostgresEventStore({ pool });

await followLog(
  {
    pool,
    signer: createCheckpointSigner([new Uint8Array(Buffer.from(seed, 'hex'))]),
    store,
    log: console,
  },
  new AbortController().signal,
);
