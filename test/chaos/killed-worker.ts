import type { AppendResult, EventStore, StreamAppend } from '../../domain/ports/event-store.ts';
import { silentEffects } from '../support/commands/given.ts';
import { openEngine } from '../support/open-engine.ts';

/**
 * A worker that dies between commit and answer: the append of each of these commands is committed and never answered, and
 * when all of them are in the log the process kills itself. Arguments: connection string, Temporal's address, task queue,
 * and the commands.
 */
const [databaseUrl = '', address = '', taskQueue = '', ...commandIds] = process.argv.slice(2);
const missing = new Set(commandIds);

/** Never resolves once one of the commands was committed. */
const silent = async (appends: readonly StreamAppend[], result: AppendResult): Promise<AppendResult> => {
  const hit = appends.flatMap(({ commands = [] }) => commands).filter((id) => commandIds.includes(id));
  if (!result.ok || hit.length === 0) return result;
  for (const id of hit) missing.delete(id);
  if (missing.size === 0) process.kill(process.pid, 'SIGKILL');
  return new Promise<never>(() => undefined);
};

const wrap = (store: EventStore): EventStore => ({
  ...store,
  append: async (request, origin) => silent([request], await store.append(request, origin)),
  appendMany: async (requests, origin) => silent(requests, await store.appendMany(requests, origin)),
});

await openEngine({ databaseUrl, address, taskQueue, wrap, activities: silentEffects });
console.log('taking work');
