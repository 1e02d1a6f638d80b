import { type Engine, type EngineOptions, openEngine } from './open-engine.ts';
import { createTestDatabase } from './postgres.ts';
import { temporalAddress } from './temporal.ts';

export { type Engine, metaOf, now } from './open-engine.ts';

/** An engine on the run's servers, with a database of its own. */
export const startEngine = async (
  options: Pick<EngineOptions, 'activities' | 'timeoutMs'> = {},
): Promise<Engine & { readonly databaseUrl: string }> => {
  const database = await createTestDatabase();
  const engine = await openEngine({
    databaseUrl: database.url,
    address: await temporalAddress(),
    ...options,
  });
  return {
    ...engine,
    databaseUrl: database.url,
    stop: async () => {
      await engine.stop();
      await database.drop();
    },
  };
};
