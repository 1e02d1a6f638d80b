import { CompleteAsyncError } from '@temporalio/activity';
import { ZERO } from '../../../domain/money.ts';
import { now } from '../open-engine.ts';
import { attested, drawing } from './cases.ts';
import { silentEffects } from './given.ts';

/** What effects may answer with, besides nothing for ever: events that their states accept. */
const ANSWERS: Readonly<Record<string, () => readonly object[]>> = {
  'enclave.createOnNode': () => attested(now()).slice(0, 1),
  'enclave.attest': () => attested(now()).slice(1),
  'enclave.runOnNode': () => [
    { type: 'enclave.failed', fault: 'lost', code: 'RESOURCE_UNAVAILABLE', message: 'lost', steps: [] },
  ],
  'enclave.destroyOnNode': () => [{ type: 'enclave.destroyed', reason: 'done', confirmed: true }],
  'job.settle': () => [
    {
      type: 'job.failed',
      reason: 'AUCTION_NOT_ENOUGH_BIDS',
      message: 'nobody bids',
      payouts: [],
      price: ZERO,
      failedAt: now(),
    },
  ],
  'predicate.compile': () => [{ type: 'predicate.failed', code: 'RESOURCE_UNAVAILABLE', message: 'full' }],
  'topology.commitCandidates': () => drawing(now()).slice(1, 2),
  'topology.fixBeacon': () => drawing(now()).slice(2),
  'topology.collectSelections': () => [],
};

/** How often an effect that could answer does not, and how often an attempt fails first. */
const SILENT = 0.25;
const FAILING = 0.25;

/** Effects that answer, fail or stay silent at random. */
export const randomEffects = (): Readonly<Record<string, () => Promise<readonly object[]>>> => ({
  ...silentEffects(),
  ...Object.fromEntries(
    Object.entries(ANSWERS).map(([name, answer]) => [
      name,
      async () => {
        const drawn = Math.random();
        if (drawn < SILENT) throw new CompleteAsyncError();
        if (drawn < SILENT + FAILING) throw new Error('this attempt fails');
        return answer();
      },
    ]),
  ),
});
