import { randomBytes } from 'node:crypto';
import type { Pool } from 'pg';
import { createAuctionActivities } from '../../../activities/auction.ts';
import { createJobActivities } from '../../../activities/job.ts';
import type { Auction } from '../../../domain/auction/auction.ts';
import type { OpenAuction } from '../../../domain/auction/commands.ts';
import type { EventContext } from '../../../domain/event.ts';
import { ulidFrom } from '../../../domain/ids.ts';
import type { SubmitJob } from '../../../domain/job/commands.ts';
import type { Job } from '../../../domain/job/job.ts';
import { transfer } from '../../../domain/ledger/entry.ts';
import { account } from '../../../domain/ledger/events.ts';
import { toMicro } from '../../../domain/money.ts';
import type { Lifecycles } from '../../../domain/ports/lifecycles.ts';
import { DEFAULT_T_REF, TIER_TABLE_VERSION } from '../../../domain/tiers.ts';
import { addSeconds } from '../../../domain/time.ts';
import { createBidDesk } from '../../../infra/bidding/bid-desk.ts';
import { bidIdOf } from '../../../infra/bidding/bid-id.ts';
import { createBidViews } from '../../../infra/bidding/bid-views.ts';
import { createPostgresEventStore } from '../../../infra/event-store/postgres/store.ts';
import { createJournal } from '../../../infra/journal/journal.ts';
import { createSealing } from '../../../infra/keys/sealing.ts';
import { standingOf } from '../../../infra/keys/standing.ts';
import { createPool } from '../../../infra/postgres/pool.ts';
import { createBonds, roomUnderBond } from '../../../infra/providers/bonds.ts';
import { createProviderMarket } from '../../../infra/providers/provider-market.ts';
import { createProviders } from '../../../infra/providers/providers.ts';
import { isOpenAuction } from '../../../infra/quota/held-places.ts';
import { createSolver } from '../../../infra/solver/solver.ts';
import { metaOf, now } from '../../support/open-engine.ts';
import { createDirectHost } from './direct-host.ts';
import { createStoredJobs, storedProviders } from './stored-jobs.ts';

/** What a job asks of the engine, in turn. */
export const PHASES = ['open', 'bid', 'award', 'settle'] as const;
export type Phase = (typeof PHASES)[number];

const SUBMITTER = 'subject-growth';
const CEILING = toMicro('6944');
const AUCTION_SECONDS = 5;
const FUNDS = toMicro(10n ** 15n);
const HEX = 'ab'.repeat(32);
const ATTESTED_SECONDS = 86_400;

/** The use cases of a process, on a store of their own: what it has folded, a process that begins has not. */
const openProcess = (pool: Pool, masterKey: Buffer) => {
  const store = createPostgresEventStore({ pool });
  const journal = createJournal({ store });
  const providers = createProviders({ store, books: journal, now });
  const sealing = createSealing({ pool, masterKey });
  const solver = createSolver();
  const host = createDirectHost(journal);
  const bonds = createBonds({ store, providers, now });
  const lifecycles = { execute: host.execute } as Lifecycles;
  const desk = createBidDesk({
    lifecycles,
    tRef: DEFAULT_T_REF,
    sealing,
    ...createBidViews({ store, providers, providersOf: async () => [], now }),
  });
  const auctions = createAuctionActivities({
    sealing,
    market: createProviderMarket({ providers, now }),
    solver,
    askRoom: roomUnderBond(async () => 'held', bonds),
    now,
  });
  const jobs = createJobActivities({
    // Its children have ended: they need not be told.
    lifecycles: {
      execute: async () => ({ ok: true, position: '0', revision: '0', state: '' }),
      tell: async () => undefined,
    },
    store,
    providers,
    now,
  });
  return {
    store,
    journal,
    providers,
    host,
    desk,
    openBids: auctions['auction.openBids'],
    settle: jobs['job.settle'],
    isOpen: isOpenAuction(store),
    close: async (): Promise<void> => {
      await solver.close();
      await store.close();
    },
  };
};

type Process = ReturnType<typeof openProcess>;

const contextOf = (stream: string, cause: string): EventContext => ({
  occurredAt: now(),
  actor: 'engine',
  correlationId: stream,
  causationId: cause,
  traceparent: null,
});

const fund = async ({ journal }: Process, principal: string): Promise<void> => {
  const id = `growth-${principal}`;
  const entry = transfer('credit', account.external, account.available(principal), FUNDS, id);
  const posted = await journal.post([entry], contextOf(id, id), id);
  if (!posted.ok) throw new Error(posted.message);
};

/** Submits a job, and opens its auction. @returns the auction's stream. */
const open = async ({ host, isOpen }: Process): Promise<string> => {
  const id = ulidFrom(randomBytes(17));
  const [jobId, auctionId, quoteId] = [`job-${id}`, `auction-${id}`, `quote-${id}`];
  const terms = {
    submitter: SUBMITTER,
    quoteId,
    auctionId,
    tier: 'silver',
    tierTableVersion: TIER_TABLE_VERSION,
    requiredTops: 500,
    utilization: 0.8,
    durationSeconds: 60,
    tRef: DEFAULT_T_REF,
    ceiling: CEILING,
    auctionSeconds: AUCTION_SECONDS,
    seed: randomBytes(32).toString('hex'),
  } as const;
  const submit: SubmitJob = {
    type: 'submit',
    jobId,
    ...terms,
    auctionGiven: false,
    pricedMemoryMb: 256,
    codeHash: HEX,
    args: [],
    inputHash: HEX,
    memoryMb: 256,
    allowSimulated: true,
  };
  const order: OpenAuction = { type: 'open', jobId, ...terms, memoryMb: 256 };
  await isOpen(auctionId);
  await host.open('job', jobId, submit, metaOf(`command-${id}`, SUBMITTER));
  await host.open('auction', auctionId, order, metaOf(`${auctionId}/open`, SUBMITTER));
  return auctionId;
};

/** A bid as a node's comes over the mesh. */
const bid = async ({ providers, desk }: Process, pool: Pool, auctionId: string, index: number) => {
  const { providerId, owner } = storedProviders[index] as (typeof storedProviders)[number];
  const provider = await providers.find(providerId);
  if (provider?.owner !== owner) throw new Error(`${providerId} is not there`);
  await standingOf(pool, owner);
  const bidId = bidIdOf(auctionId, providerId);
  const price = String(1_000 + 100 * index);
  const placed = await desk.placeBid({ auctionId, providerId, price, meta: metaOf(bidId, owner) });
  if (!placed.ok) throw new Error(placed.message);
};

/** Closes the auction, opens its bids and awards it. */
const award = async ({ host, openBids }: Process, auctionId: string): Promise<void> => {
  const { closesAt } = host.contextOf(auctionId) as Auction;
  await host.deadline(auctionId, 'close', closesAt, metaOf(`${auctionId}/close`));
  const auction = host.contextOf(auctionId) as Auction;
  const events = await openBids({ auction });
  if (events.at(-1)?.type !== 'auction.awarded') throw new Error(JSON.stringify(events.at(-1)));
  await host.answer(auctionId, events, contextOf(auctionId, `${auctionId}@7`));
};

/** Records the evidence of a proven job, and pays it. */
const settle = async ({ host, settle: settled }: Process, jobId: string): Promise<void> => {
  const events = await settled({ job: host.contextOf(jobId) as Job });
  if (events.at(-1)?.type !== 'job.settled') throw new Error(JSON.stringify(events.at(-1)));
  await host.answer(jobId, events, contextOf(jobId, `${jobId}@9`));
};

/**
 * An engine whose log holds `size` jobs, and what one more job costs there, `measured` times at most.
 * `used`: CPU ms so far.
 */
export const openAgedEngine = async (url: string, size: number, measured: number, used: () => number) => {
  const pool = createPool(url, { name: `growth-${size}`, max: 8, statementMs: 600_000 });
  const masterKey = randomBytes(32);
  const filling = createPostgresEventStore({ pool });
  const stored = createStoredJobs(filling);
  await stored.setUp();
  await stored.jobs(0, size);
  /** Jobs whose result is in the log and that wait for their end. */
  const proven: string[] = [];
  for (let index = 0; index < measured; index++) proven.push(await stored.provenJob(size + index));
  await filling.close();
  await pool.query('vacuum analyze');
  let warm = openProcess(pool, masterKey);
  for (const [index, { providerId, owner }] of storedProviders.entries()) {
    await fund(warm, owner);
    const attested = {
      type: 'attest',
      platform: 'amd_sev_snp',
      label: 'simulated',
      reportHash: HEX,
      chip: `chip-growth-${index}`,
      nonce: HEX,
      expiresAt: addSeconds(now(), ATTESTED_SECONDS),
    } as const;
    const meta = { actor: owner, commandId: `attest/growth/${providerId}` };
    const outcome = await warm.providers.execute(providerId, attested, meta);
    if (!outcome.ok) throw new Error(outcome.message);
  }
  await fund(warm, SUBMITTER);

  /** CPU ms of a job, by what it asks for. */
  const run = async (process: Process, jobs: number): Promise<Record<Phase, number>> => {
    const settling = proven.splice(0, jobs);
    if (settling.length < jobs) throw new Error('no proven jobs are left');
    for (const stream of settling) process.host.takeOver(stream, await process.store.readStream(stream));
    const costOf = async (work: () => Promise<void>): Promise<number> => {
      const before = used();
      await work();
      return (used() - before) / jobs;
    };
    const auctions: string[] = [];
    return {
      open: await costOf(async () => {
        for (let index = 0; index < jobs; index++) auctions.push(await open(process));
      }),
      bid: await costOf(async () => {
        for (const auctionId of auctions)
          for (const index of storedProviders.keys()) await bid(process, pool, auctionId, index);
      }),
      award: await costOf(async () => {
        for (const auctionId of auctions) await award(process, auctionId);
      }),
      settle: await costOf(async () => {
        for (const jobId of settling) await settle(process, jobId);
      }),
    };
  };

  return {
    /** One more job, in a process that has run for a while. */
    job: (jobs: number) => run(warm, jobs),
    /** The first job of a process that has just begun. */
    firstJob: async () => {
      await warm.close();
      warm = openProcess(pool, masterKey);
      return run(warm, 1);
    },
    close: async (): Promise<void> => {
      await warm.close();
      await pool.end();
    },
  };
};
