import { readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { DeterminismViolationError } from '@temporalio/workflow';
import { beforeAll, describe, expect, test } from 'vitest';
import { workflowBundle } from '../../infra/temporal/bundle.ts';
import { HISTORIES, type RecordedHistory } from '../support/record-history.ts';

const names = readdirSync(HISTORIES)
  .filter((file) => file.endsWith('.json'))
  .map((file) => file.slice(0, -'.json'.length));

let code: string;
beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
  code = await readFile(await workflowBundle('.aivillage/test-bundles'), 'utf8');
});

const replay = (name: string, bundle = code): Promise<void> => {
  const { history, workflowId } = JSON.parse(
    readFileSync(join(HISTORIES, `${name}.json`), 'utf8'),
  ) as RecordedHistory;
  return Worker.runReplayHistory({ workflowBundle: { code: bundle } }, history, workflowId);
};

/** A running workflow meets the code of the next deployment exactly as these histories meet today's. */
describe('recorded histories', () => {
  test.each(names)('%s replays on the workflows as they are', async (name) => {
    await expect(replay(name)).resolves.toBeUndefined();
  });

  test.each([
    ['an effect of a job', 'job-settled', 'prove'],
    ['an effect of an enclave', 'enclave-terminated', 'runOnNode'],
    ['an effect of an auction', 'auction-awarded', 'openBids'],
  ])('renaming %s is caught', async (_, name, effect) => {
    const renamed = code.replaceAll(new RegExp(`\\b${effect}\\b`, 'g'), `${effect}Anew`);
    expect(renamed).not.toBe(code);
    await expect(replay(name, renamed)).rejects.toThrow(DeterminismViolationError);
  });
});
