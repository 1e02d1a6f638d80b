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

/** The bundle with another text in place of one that it holds. */
const changed = (text: RegExp, instead: string): string => {
  const bundle = code.replaceAll(
    new RegExp(text, text.flags.includes('g') ? text.flags : `${text.flags}g`),
    () => instead,
  );
  expect(bundle).not.toBe(code);
  return bundle;
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
    await expect(replay(name, changed(new RegExp(`\\b${effect}\\b`, 'g'), `${effect}Anew`))).rejects.toThrow(
      DeterminismViolationError,
    );
  });
});

/** A rule of a version that streams run by is never changed: it gets a version of its own (CONTRIBUTING). */
describe('a changed rule of a running version is noticed', () => {
  test.each<readonly [rule: string, history: string, text: RegExp, instead: string]>([
    // What is decided.
    ['a bid deposits 1', 'auction-v1-awarded', /deposit: auction\.ceiling/, "deposit: '1'"],
    [
      'auctions last an hour longer',
      'auction-v1-awarded',
      /\(ctx\.now, auctionSeconds\)/,
      '(ctx.now, auctionSeconds + 3600)',
    ],
    [
      'an extension is twice as long',
      'auction-v1-extended-and-failed',
      /Math\.min\(auction\.auctionSeconds,/,
      'Math.min(2 * auction.auctionSeconds,',
    ],
    [
      'an enclave lives a second longer',
      'enclave-v2-terminated',
      /\(ctx\.now, lifetimeSeconds\)/,
      '(ctx.now, lifetimeSeconds + 1)',
    ],
    [
      'a lost node is slashed',
      'job-v1-members-replaced',
      /SLASHED = new Set\(\[/,
      "SLASHED = new Set(['lost',",
    ],
    [
      'an enclave of an older version lives a second longer',
      'enclave-v1-terminated',
      /\(ctx\.now, lifetimeSeconds\)/,
      '(ctx.now, lifetimeSeconds + 1)',
    ],
    [
      'the state that a report leads to',
      'quorum-v1-reformed',
      /epoch: quorum\.epoch\b/g,
      'epoch: quorum.epoch + 1',
    ],
    [
      'the fold of an event',
      'auction-v1-awarded',
      /since: event\.openedAt/,
      "since: '2026-01-01T00:00:00.000Z'",
    ],
    [
      'a bid deposits 1 in a run that continues another',
      'auction-v1-continued',
      /deposit: auction\.ceiling/,
      "deposit: '1'",
    ],
    [
      'what the engine could not do becomes a fault of the node',
      'enclave-v3-engine-failed',
      /fault: 'stopped',\s+cause: 'engine'/,
      "fault: 'lost'",
    ],
    [
      'an older version is judged by the newest policies',
      'enclave-v2-engine-failed',
      /2: version2,/,
      '2: version3,',
    ],
    [
      'what a child is asked for, where its parent starts it',
      'job-v3-h3-settled',
      /LIFETIME_MARGIN_SECONDS = 1800/,
      'LIFETIME_MARGIN_SECONDS = 1801',
    ],
    [
      'what follows an effect that follows an effect',
      'enclave-v4-h3-terminated',
      /RENEWAL_SHARE = 7 \/ 8/,
      'RENEWAL_SHARE = 1 / 2',
    ],
    [
      'what a lifecycle goes on with once its parent is told',
      'enclave-v4-h4-terminated',
      /destroyReason: 'work done'/,
      "destroyReason: 'done'",
    ],
    [
      'how long a job may wait for room',
      'job-v4-h3-waited',
      /\(submittedAt, maxWaitSeconds\)/,
      '(submittedAt, maxWaitSeconds + 60)',
    ],
    [
      'what follows a want of bids',
      'job-v4-h3-waited',
      /const next = attempt \+ 1/,
      'const next = attempt + 2',
    ],
    // The money that follows.
    [
      'a job holds one ceiling less',
      'job-v1-settled',
      /multiply\)\(event\.ceiling, event\.winners\)/,
      'multiply)(event.ceiling, event.winners - 1)',
    ],
    [
      'who is paid',
      'job-v1-settled',
      /available\(payout\.owner\), payout\.amount/,
      'available(job.submitter), payout.amount',
    ],
    [
      'who gets the SLA credit',
      'job-v1-sla-missed',
      /\('sla-credit', escrow, submitter,/,
      "('sla-credit', escrow, 'fees',",
    ],
    [
      'the SLA credit is kept',
      'job-v1-sla-missed',
      /\? event\.slaCredit :/,
      '? _money_ts__WEBPACK_IMPORTED_MODULE_2__.ZERO :',
    ],
    [
      'who is paid, by an effect that followed another',
      'job-v3-h3-settled',
      /available\(payout\.owner\), payout\.amount/,
      'available(job.submitter), payout.amount',
    ],
    ['where a slash goes', 'job-v1-member-slashed', /account\.slashed/, 'account.rounding'],
    [
      'deposits of a failed auction are kept',
      'auction-v1-extended-and-failed',
      /case 'auction\.failed':/,
      "case 'auction.never':",
    ],
    [
      'deposits of those who lost are kept, behind a local effect',
      'auction-v1-awarded',
      /case 'auction\.awarded':/,
      "case 'auction.never':",
    ],
    // What is asked for, without an event that tells.
    ['a run may take a second longer', 'job-v1-settled', /RUN_MARGIN = 180 \*/, 'RUN_MARGIN = 181 *'],
    [
      'attestations are renewed at half their term',
      'enclave-v2-renewed',
      /RENEWAL_SHARE = 7 \/ 8/,
      'RENEWAL_SHARE = 1 / 2',
    ],
    [
      'what the effect of a replacement is told',
      'job-v1-members-replaced',
      /lost: context\.failed\.map/,
      'lost: context.failed.slice(1).map',
    ],
    [
      'how a child is opened',
      'job-v1-settled',
      /LIFETIME_MARGIN_SECONDS = 1800/,
      'LIFETIME_MARGIN_SECONDS = 1801',
    ],
    ['what a parent is told', 'quorum-v1-reformed', /requiredUp: quorum\.requiredUp,/g, ''],
    ['what a circuit is made of', 'predicate-v1-ready', /constraints: facts\.constraints/, 'constraints: 0'],
    [
      'when an epoch ends',
      'topology-v1-ended',
      /until\(context, context\.holdsUntil\)/,
      'until(context, context.endsAt)',
    ],
  ])('%s', async (_, name, text, instead) => {
    const [aggregate, version] = name.split('-v');
    await expect(replay(name, changed(text, instead))).rejects.toThrow(
      `a rule of ${aggregate} version ${version?.[0]} has changed`,
    );
  });

  test('it fails the workflow task, by a type of its own: the workflow waits for its rule', async () => {
    const changedRule = replay('auction-v1-awarded', changed(/deposit: auction\.ceiling/, "deposit: '1'"));
    await expect(changedRule).rejects.toThrow(/workflow task failure.*ChangedRuleError/s);
  });
});

describe('what is no rule may change', () => {
  test.each(names.filter((name) => name.includes('-v')))(
    '%s does not mind time-outs and retries',
    async (name) => {
      const patient = changed(/maximumAttempts: \d+/g, 'maximumAttempts: 7').replaceAll(
        /startToCloseTimeout: '[^']+'/g,
        "startToCloseTimeout: '7 minutes'",
      );
      await expect(replay(name, patient)).resolves.toBeUndefined();
    },
  );
});
