import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { Client, WithStartWorkflowOperation } from '@temporalio/client';
import { bundleWorkflowCode, NativeConnection, Worker } from '@temporalio/worker';
import type { OpenAuction } from '../../../domain/auction/commands.ts';
import { toMicro } from '../../../domain/money.ts';
import { TIER_TABLE_VERSION } from '../../../domain/tiers.ts';
import { bidIdOf } from '../../../infra/bidding/bid-id.ts';
import { sealContext } from '../../../infra/bidding/seal-context.ts';
import { usageOf } from '../../../infra/sandbox/process-usage.ts';
import { type Engine, metaOf } from '../../support/open-engine.ts';
import type { Case } from '../harness.ts';

/** Auctions under way at once: more of them, and bids would come after the close. */
const AUCTIONS = 8;
/** Groups of auctions in one measurement: a collection of old garbage must not decide it. */
const GROUPS = 2;
/** Long enough for all bids on a busy machine; waiting takes no CPU. */
const AUCTION_SECONDS = 3;
/** Groups until V8 has compiled what it compiles: after fewer, the times of both sides still fall. */
const WARM_UP_GROUPS = 12;
const BIDDERS = [
  'cloud_aws',
  'cloud_azure',
  'cloud_gcp',
  'private_datacenters',
  'hybrid_environments',
] as const;
const CEILING = toMicro(1_000_000n);
const FUNDS = 1_000_000_000_000n;

/** CPU ms of this process (worker and client) and of the Temporal server. */
const cpuMs = (serverPid: number): number => {
  const { user, system } = process.cpuUsage();
  const server = usageOf(serverPid);
  if (!server) throw new Error('the Temporal server is gone');
  return (user + system) / 1000 + server.cpuMs;
};

/** One promise for every auction of a measurement. */
const each = <T>(one: () => Promise<T>): Promise<T>[] => Array.from({ length: AUCTIONS }, one);

/** Waits for all before it tells of the first that failed: nothing is still under way when the suite closes. */
const allOf = async (running: readonly Promise<unknown>[]): Promise<void> => {
  for (const each of await Promise.allSettled(running)) if (each.status === 'rejected') throw each.reason;
};

/** CPU ms of a run of a group, per auction. */
const measure = async (serverPid: number, run: () => Promise<unknown>): Promise<number> => {
  const before = cpuMs(serverPid);
  await run();
  return (cpuMs(serverPid) - before) / AUCTIONS;
};

interface Bidder {
  readonly providerId: string;
  readonly owner: string;
}

interface SealedBid extends Bidder {
  readonly bidId: string;
  readonly sealed: string;
}

/** The commands of one auction: both sides send the same. */
interface PreparedAuction {
  readonly open: OpenAuction;
  readonly bids: readonly SealedBid[];
}

const SUBMITTER = 'subject-bench';

/** Sealing is what secrecy costs, with or without a host: it is done before the measurement. */
const prepare = async (engine: Engine, bidders: readonly Bidder[]): Promise<PreparedAuction> => {
  const auctionId = `auction-${randomBytes(13).toString('hex')}`;
  await engine.sealing.createKey(auctionId);
  const bids = bidders.map(async (bidder, index): Promise<SealedBid> => {
    const bidId = bidIdOf(auctionId, bidder.providerId);
    const price = JSON.stringify({ price: `${100_000 + 10_000 * index}` });
    return {
      ...bidder,
      bidId,
      sealed: await engine.sealing.seal(auctionId, price, sealContext(auctionId, bidId)),
    };
  });
  const open: OpenAuction = {
    type: 'open',
    auctionId,
    submitter: SUBMITTER,
    jobId: `job-${auctionId.slice('auction-'.length)}`,
    quoteId: 'bench',
    tier: 'gold',
    tierTableVersion: TIER_TABLE_VERSION,
    requiredTops: 500,
    utilization: 0.8,
    durationSeconds: 60,
    ceiling: CEILING,
    auctionSeconds: AUCTION_SECONDS,
    seed: randomBytes(32).toString('hex'),
  };
  return { open, bids: await Promise.all(bids) };
};

const openingMeta = ({ auctionId }: OpenAuction) => metaOf(`${auctionId}/open`, SUBMITTER);

const ourAuction = async (engine: Engine, { open, bids }: PreparedAuction): Promise<void> => {
  const { auctionId } = open;
  const opened = await engine.lifecycles.open('auction', auctionId, open, openingMeta(open));
  if (!opened.ok) throw new Error(opened.message);
  const bid = async (sealed: SealedBid): Promise<void> => {
    const meta = metaOf(sealed.bidId, sealed.owner);
    const placed = await engine.lifecycles.execute(auctionId, { type: 'place-bid', ...sealed }, meta);
    if (!placed.ok) throw new Error(placed.message);
  };
  await allOf(bids.map(bid));
  await engine.client.workflow.getHandle(auctionId).result();
};

const bareAuction = async (
  engine: Engine,
  taskQueue: string,
  { open, bids }: PreparedAuction,
): Promise<void> => {
  const workflowId = `bare-${open.auctionId}`;
  const startWorkflowOperation = new WithStartWorkflowOperation('bare', {
    workflowId,
    args: [AUCTION_SECONDS],
    taskQueue,
    workflowIdConflictPolicy: 'USE_EXISTING',
  });
  const { workflow } = new Client({ connection: engine.client.connection });
  await workflow.executeUpdateWithStart('command', {
    args: [open, openingMeta(open)],
    startWorkflowOperation: startWorkflowOperation as never,
  });
  const handle = workflow.getHandle(workflowId);
  const bid = (sealed: SealedBid) =>
    handle.executeUpdate('command', {
      args: [{ type: 'place-bid', ...sealed }, metaOf(sealed.bidId, sealed.owner)],
    });
  await allOf(bids.map(bid));
  await handle.result();
};

const startBareWorker = async (address: string) => {
  const taskQueue = `bare-${randomBytes(6).toString('hex')}`;
  const connection = await NativeConnection.connect({ address });
  const { code } = await bundleWorkflowCode({
    workflowsPath: join(import.meta.dirname, '..', 'bare', 'workflow.ts'),
  });
  const worker = await Worker.create({
    connection,
    taskQueue,
    workflowBundle: { code },
    activities: { nothing: async () => undefined },
  });
  const running = worker.run();
  return {
    taskQueue,
    stop: async () => {
      worker.shutdown();
      await running;
      await connection.close();
    },
  };
};

/**
 * CPU of an auction with five bids on the durable host ÷ CPU of a bare workflow with the same updates, timer
 * and search attributes, worker, client and server together. The database's own CPU is left out.
 */
export const settleAuctionCase = async (
  engine: Engine,
  address: string,
  serverPid: number,
): Promise<{ readonly case: Case; close(): Promise<void> }> => {
  const bare = await startBareWorker(address);
  const bidders: Bidder[] = [];
  for (const [index, type] of BIDDERS.entries()) {
    const bidder = await engine.provider(index, type);
    bidders.push(bidder);
    // Winners' deposits stay held: enough for any number of rounds.
    await engine.fund(bidder.owner, FUNDS);
  }
  const group = async (settle: (auction: PreparedAuction) => Promise<void>): Promise<number> => {
    const prepared = await Promise.all(each(() => prepare(engine, bidders)));
    return measure(serverPid, () => allOf(prepared.map(settle)));
  };
  const ourGroup = () => group((auction) => ourAuction(engine, auction));
  const bareGroup = () => group((auction) => bareAuction(engine, bare.taskQueue, auction));
  const measured = async (one: () => Promise<number>): Promise<number> => {
    let sum = 0;
    for (let index = 0; index < GROUPS; index++) sum += await one();
    return sum / GROUPS;
  };
  // A worker runs for days: what V8 spends on compiling its code belongs to no auction.
  try {
    for (let index = 0; index < WARM_UP_GROUPS; index++) {
      await ourGroup();
      await bareGroup();
    }
  } catch (error) {
    await bare.stop();
    throw error;
  }
  return {
    case: {
      name: 'settle-auction-cpu',
      unit: 'CPU ms per auction',
      ours: () => measured(ourGroup),
      baseline: () => measured(bareGroup),
    },
    close: bare.stop,
  };
};
