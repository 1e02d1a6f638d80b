import type { AppendResult, EventStore } from '../../domain/ports/event-store.ts';
import { randomEffects } from '../support/commands/random-effects.ts';
import { openEngine } from '../support/open-engine.ts';

/**
 * A worker that kills itself between commit and answer: the append number `life` of this process is committed, and nobody
 * hears of it. Arguments: connection string, Temporal's address, task queue, life.
 */
const [databaseUrl = '', address = '', taskQueue = '', life = ''] = process.argv.slice(2);
let left = Number(life);

const mortal = async (append: Promise<AppendResult>): Promise<AppendResult> => {
  const result = await append;
  if (result.ok && --left === 0) process.kill(process.pid, 'SIGKILL');
  return left > 0 ? result : new Promise<never>(() => undefined);
};

const wrap = (store: EventStore): EventStore => ({
  ...store,
  append: (request, origin) => mortal(store.append(request, origin)),
  appendMany: (requests, origin) => mortal(store.appendMany(requests, origin)),
});

// What waits for PostgreSQL while it is away is repeated by Temporal.
process.on('unhandledRejection', (error) => console.error(error));
await openEngine({ databaseUrl, address, taskQueue, wrap, activities: randomEffects });
console.log('taking work');
