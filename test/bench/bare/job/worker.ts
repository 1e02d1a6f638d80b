import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client, Connection, WithStartWorkflowOperation } from '@temporalio/client';
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import type { BareJob } from './old-shape.ts';
import { type BareActivities, commandUpdate } from './parts.ts';

/** What a parent sends: run so many jobs at once. The answer is how long each took beyond its auction, ms. */
export interface BareOrder {
  readonly shape: 'old' | 'lean';
  readonly atOnce: number;
  readonly members: number;
  readonly auctionSeconds: number;
}

const TASK_QUEUE = 'bare';
/** As many as a local stack has nodes. */
const BIDS = 6;
/** Bids come in a burst, but for the first. */
const BEFORE_BIDS_MS = 300;
/** A histories' payload of commit fb705bb in the middle, bytes. */
const BODY = randomBytes(1024).toString('hex');

const logger = new DefaultLogger('WARN');
Runtime.install({ logger, shutdownSignals: [] });
const address = process.argv[2] as string;
const connection = await Connection.connect({ address });
const { workflow } = new Client({ connection });

/** Called when the first step of a workflow runs. */
const begun = new Map<string, () => void>();
const activities: BareActivities = {
  append: async (id, revision) => {
    begun.get(id)?.();
    return { kind: 'appended', position: String(revision), fingerprint: BODY.slice(0, 64) };
  },
  effect: async (_name, body) => body,
  tell: async (workflows, body) => {
    await Promise.all(workflows.map((id) => command(id, body)));
    return body;
  },
};

const command = (id: string, body: string): Promise<unknown> =>
  workflow.getHandle(id).executeUpdate(commandUpdate, { args: [body] });

const runOld = async (order: BareJob): Promise<number> => {
  const [workflowId, auctionId] = [`job-${order.id}`, `auction-${order.id}`];
  const opened = new Promise<void>((resolve) => begun.set(auctionId, resolve));
  const startWorkflowOperation = new WithStartWorkflowOperation('job', {
    workflowId,
    args: [order],
    taskQueue: TASK_QUEUE,
    workflowIdConflictPolicy: 'USE_EXISTING',
  });
  await workflow.executeUpdateWithStart(commandUpdate, { args: [order.body], startWorkflowOperation });
  const submittedAt = performance.now();
  await opened;
  begun.delete(auctionId);
  await delay(BEFORE_BIDS_MS);
  await command(auctionId, order.body);
  await Promise.all(Array.from({ length: order.bids - 1 }, () => command(auctionId, order.body)));
  await workflow.getHandle(workflowId).result();
  return performance.now() - submittedAt;
};

const runLean = async (order: BareJob): Promise<number> => {
  const handle = await workflow.start('leanJob', {
    workflowId: `lean-${order.id}`,
    args: [order],
    taskQueue: TASK_QUEUE,
  });
  const submittedAt = performance.now();
  await handle.result();
  return performance.now() - submittedAt;
};

const run = async ({ shape, atOnce, members, auctionSeconds }: BareOrder): Promise<number[]> => {
  const one = async (): Promise<number> => {
    const order = { id: randomBytes(8).toString('hex'), auctionSeconds, bids: BIDS, members, body: BODY };
    const took = await (shape === 'old' ? runOld(order) : runLean(order));
    return took - auctionSeconds * 1000;
  };
  return Promise.all(Array.from({ length: atOnce }, one));
};

const { code } = await bundleWorkflowCode({
  workflowsPath: join(import.meta.dirname, 'workflow.ts'),
  logger,
});
const native = await NativeConnection.connect({ address });
const worker = await Worker.create({
  connection: native,
  taskQueue: TASK_QUEUE,
  workflowBundle: { code },
  activities,
});
process.on('message', (order: BareOrder) => {
  run(order).then(
    (took) => process.send?.({ took }),
    (error: Error) => process.send?.({ failure: error.message }),
  );
});
process.once('disconnect', () => worker.shutdown());
process.send?.('ready');
await worker.run();
await native.close();
await connection.close();
