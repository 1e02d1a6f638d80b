import { writeFile } from 'node:fs/promises';
import { bundleWorkflowCode } from '@temporalio/worker';

/**
 * Builds the workflow bundle of the module `workflows` and writes it to `path`: `node build-bundle.ts <workflows> <path>`.
 * A program of its own, for the bundler leaves a quarter of a gigabyte with whoever ran it.
 */
const [workflows = '', path = ''] = process.argv.slice(2);
const ignore = () => undefined;
/** The bundler's progress is no news; its failures reject. */
const quiet = { log: ignore, trace: ignore, debug: ignore, info: ignore, warn: ignore, error: ignore };

const { code } = await bundleWorkflowCode({
  workflowsPath: workflows,
  // Evaluated once for all workflows instead of once for each: no module of theirs holds state of its own.
  preloadModules: [workflows],
  logger: quiet,
});
await writeFile(path, code);
