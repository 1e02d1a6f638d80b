import { askableCeiling, MAX_OPEN_AUCTIONS, openingFeeOf } from '../../../domain/auction/asking.ts';
import { priceQuote } from '../../../domain/auction/pricing.ts';
import type { CreateEnclave } from '../../../domain/enclave/commands.ts';
import type { SubmitJob } from '../../../domain/job/commands.ts';
import { type Micro, multiply, units } from '../../../domain/money.ts';
import type { Command, CommandOutcome } from '../../../domain/ports/lifecycles.ts';
import { TIERS, type TierName } from '../../../domain/tiers.ts';
import { metaOf } from '../world.ts';
import type { Market } from './market.ts';
import type { SimulatedNode } from './node.ts';
import type { Workload } from './workload.ts';

const HEX = '3'.repeat(64);
/** How long an enclave without a job lives (api/routes/enclaves/create.ts), seconds. */
const ENCLAVE_SECONDS = 3600;

export interface Wanted extends Workload {
  readonly tier: TierName;
  readonly tops: number;
  readonly utilization: number;
  readonly durationSeconds: number;
  readonly auctionSeconds: number;
  readonly args?: readonly string[];
}

/** An order with its ids, and the ceiling that it is asked with: the list price of the work, or the least there is. */
export interface Order extends Wanted {
  readonly jobId: string;
  readonly auctionId: string;
  readonly ceiling: Micro;
}

/** Whoever asks for work, through what the API leaves of its requests. */
export interface Customer {
  readonly principal: string;
  /** Auctions that take bids now. */
  readonly openAuctions: () => number;
  order(wanted: Wanted): Order;
  /** Submits a job with an auction of its own. */
  submit(order: Order): Promise<CommandOutcome>;
  /** Opens an auction without a job. */
  auction(order: Order): Promise<CommandOutcome>;
  /** Submits a job that takes the award of an auction opened before. */
  take(order: Order): Promise<CommandOutcome>;
  create(node: SimulatedNode): Promise<string>;
  terminate(enclaveId: string): Promise<CommandOutcome>;
}

/** Most that a job costs, micro-units: what an account has to hold. */
export const mostOf = ({ ceiling, tier }: Pick<Order, 'ceiling' | 'tier'>): bigint => {
  const { winners } = TIERS[tier];
  return units(multiply(ceiling, winners)) + units(openingFeeOf(ceiling, winners));
};

export const createCustomer = ({ engine, workloads }: Market, name: string): Customer => {
  const { lifecycles, hosts } = engine;
  const principal = `subject-${name}`;
  const opened = new Set<string>();
  let count = 0;

  const openAuctions = (): number =>
    [...opened].filter((auctionId) => (hosts.get(auctionId)?.snapshot.value ?? 'open') === 'open').length;

  const termsOf = ({
    tier,
    tops,
    utilization,
    durationSeconds,
    ceiling,
    auctionSeconds,
    auctionId,
  }: Order) => ({
    auctionId,
    submitter: principal,
    quoteId: `quote-${auctionId}`,
    tier,
    tierTableVersion: 1,
    requiredTops: tops,
    utilization,
    durationSeconds,
    ceiling,
    auctionSeconds,
    seed: HEX,
  });

  const jobOf = (order: Order, auctionGiven: boolean): SubmitJob => ({
    type: 'submit',
    ...termsOf(order),
    jobId: order.jobId,
    auctionGiven,
    codeHash: HEX,
    args: order.args ?? [],
    inputHash: HEX,
    memoryMb: 64,
    allowSimulated: true,
  });

  /** As the API does (settled 41). */
  const mayOpen = (): void => {
    if (openAuctions() >= MAX_OPEN_AUCTIONS) throw new Error(`${principal} has all of its open auctions`);
  };

  const askedFor = async (
    { auctionId }: Order,
    ask: () => Promise<CommandOutcome>,
  ): Promise<CommandOutcome> => {
    opened.add(auctionId);
    const outcome = await ask();
    if (!outcome.ok) opened.delete(auctionId);
    return outcome;
  };

  return {
    principal,
    openAuctions,

    order(wanted) {
      const { tier, tops, utilization, durationSeconds } = wanted;
      const price = priceQuote({ tier, requiredTops: tops, utilization, durationSeconds });
      if (!price.ok) throw new Error(price.message);
      const id = `${name}-${String(count++).padStart(6, '0')}`;
      const order = {
        ...wanted,
        jobId: `job-${id}`,
        auctionId: `auction-${id}`,
        ceiling: askableCeiling(price.value.ceiling, { tier, requiredTops: tops }),
      };
      workloads.set(order.jobId, wanted);
      return order;
    },

    submit(order) {
      mayOpen();
      return askedFor(order, () =>
        lifecycles.open('job', order.jobId, jobOf(order, false), metaOf(`${order.jobId}/submit`, principal)),
      );
    },

    auction(order) {
      mayOpen();
      const command = { type: 'open', jobId: null, ...termsOf(order) };
      return askedFor(order, () =>
        lifecycles.open('auction', order.auctionId, command, metaOf(`${order.auctionId}/open`, principal)),
      );
    },

    take: (order) =>
      lifecycles.open('job', order.jobId, jobOf(order, true), metaOf(`${order.jobId}/submit`, principal)),

    async create({ providerId, owner }) {
      const enclaveId = `enclave-${name}-${String(count++).padStart(6, '0')}`;
      const command: CreateEnclave = {
        type: 'create',
        enclaveId,
        providerId,
        owner,
        submitter: principal,
        jobId: null,
        platform: 'amd_sev_snp',
        codeHash: HEX,
        config: { memoryMb: 64, cpuCores: 1, allowDebug: false },
        allowSimulated: true,
        lifetimeSeconds: ENCLAVE_SECONDS,
      };
      await lifecycles.open('enclave', enclaveId, command, metaOf(`${enclaveId}/create`, principal));
      return enclaveId;
    },

    terminate: (enclaveId) =>
      lifecycles.execute(
        enclaveId,
        { type: 'destroy', reason: 'on request' } as Command,
        metaOf(`${enclaveId}/destroy`, principal),
      ),
  };
};
