import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { removeHome } from '../../support/home.ts';
import { offer } from '../../support/on-demand.ts';
import { startStack } from '../../support/stack.ts';
import type { SharedStack } from './shared-stack.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Loopback port that starts the stack that e2e files share. */
    stackPort: number;
  }
}

/** Offers one whole local stack, without the sample job, to every e2e file that kills nothing. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const stack = await offer<SharedStack>(async () => {
    const home = await mkdtemp(join(tmpdir(), 'aivillage-e2e-'));
    const { apiUrl, apiKey, stop } = await startStack(home).catch(async (error: unknown) => {
      await removeHome(home);
      throw error;
    });
    return {
      facts: { home, apiUrl, apiKey },
      stop: async () => {
        await stop();
        await removeHome(home);
      },
    };
  });
  project.provide('stackPort', stack.port);
  return stack.stop;
}
