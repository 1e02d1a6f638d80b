import { writeSync } from 'node:fs';
import { createPredicateActivities } from '../../activities/predicate.ts';
import { createPostgresArtifacts } from '../../infra/artifacts/postgres.ts';
import { createSigner } from '../../infra/keys/signer.ts';
import { type Circuits, createCircuits } from '../../infra/zk/circuits.ts';
import { findToolchain } from '../../infra/zk/toolchain.ts';
import { now, openEngine } from '../support/open-engine.ts';

/**
 * A worker that makes circuits until it is killed or its parent is gone, and says each step on standard output.
 * Arguments: connection string, address of Temporal, task queue, folder of the cache.
 */
const [databaseUrl = '', address = '', taskQueue = '', directory = ''] = process.argv.slice(2);

// Synchronous: what was said before a kill -9 has been said.
const say = (line: string): void => void writeSync(1, `${line}\n`);

const circuits = createCircuits({ directory, toolchain: await findToolchain() });
const telling: Circuits = {
  ...circuits,
  compile: (shape, tell) => {
    say('asked to compile');
    return circuits.compile(shape, (step) => [say(step), tell?.(step)]);
  },
  setUp: (shape, tell) => {
    say('asked to set up');
    return circuits.setUp(shape, (step) => [say(step), tell?.(step)]);
  },
};

await openEngine({
  databaseUrl,
  address,
  taskQueue,
  activities: (pool) => {
    const artifacts = createPostgresArtifacts({
      pool,
      signer: createSigner([new Uint8Array(32).fill(3)]),
      now,
    });
    return createPredicateActivities({
      circuits: () => Promise.resolve(telling),
      artifacts: {
        put: async (...args) => {
          const stored = await artifacts.put(...args);
          say('published a file');
          return stored;
        },
      },
      now,
    });
  },
});
say('ready');
process.stdin.on('end', () => process.exit()).resume();
