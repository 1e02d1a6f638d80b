import { TIER_NAMES, type TierName } from '../../../domain/tiers.ts';
import { createCustomer, mostOf, type Order } from './customer.ts';
import type { Market } from './market.ts';
import type { NodeProfile } from './node.ts';
import { payoutsOf } from './sales.ts';

const node = (
  copy: number,
  infrastructureType: NodeProfile['infrastructureType'],
  tops: number,
  pricePerH200Hour: bigint,
): NodeProfile => ({
  name: `${infrastructureType}-${copy}`,
  infrastructureType,
  tops,
  // The second of each is a little dearer, so that no price is another's.
  pricePerH200Hour: pricePerH200Hour + BigInt(7_000 * copy),
});

/** Two of each of the local stack's nodes (infra/main/local-nodes.ts), each of its own owner, network and region. */
export const HONEST_NODES: readonly NodeProfile[] = [0, 1].flatMap((copy) => [
  node(copy, 'cloud_aws', 6_000, 380_000n),
  node(copy, 'cloud_azure', 6_000, 370_000n),
  node(copy, 'cloud_gcp', 6_000, 360_000n),
  node(copy, 'edge_devices', 2_000, 240_000n),
  node(copy, 'private_datacenters', 4_000, 300_000n),
  node(copy, 'hybrid_environments', 4_000, 320_000n),
]);

/** Jobs where nothing says otherwise. */
export const HONEST_JOBS = 40;
const DURATIONS = [30, 60, 120, 240];

export interface HonestJob {
  readonly order: Order;
  readonly submitter: string;
  readonly cleared: boolean;
  /** Owners that were paid for it. */
  readonly paid: ReadonlySet<string>;
}

/** Has `count` jobs of all tiers submitted within `withinMs`, each by a customer of its own; answers what became of them. */
export const submitHonestJobs = async (
  market: Market,
  withinMs: number,
  count: number,
): Promise<() => Promise<HonestJob[]>> => {
  const { draw, engine } = market;
  const asked: { readonly order: Order; readonly submitter: string }[] = [];
  for (let index = 0; index < count; index++) {
    const customer = createCustomer(market, `honest-${index}`);
    const order = customer.order({
      tier: TIER_NAMES[draw(TIER_NAMES.length)] as TierName,
      tops: 300 + 100 * draw(8),
      utilization: 0.5 + draw(6) / 10,
      durationSeconds: DURATIONS[draw(DURATIONS.length)] as number,
      auctionSeconds: 10,
      share: 0.3 + draw(7) / 10,
    });
    asked.push({ order, submitter: customer.principal });
    await market.fund(customer.principal, mostOf(order));
    engine.clock.after(5_000 + draw(withinMs - 15_000), async () => {
      const outcome = await customer.submit(order);
      if (!outcome.ok) throw new Error(outcome.message);
    });
  }
  return () =>
    Promise.all(
      asked.map(async ({ order, submitter }) => {
        const end = (await engine.store.readStream(order.jobId)).at(-1);
        const paid = new Set((await payoutsOf(engine.store, order.jobId)).map(({ owner }) => owner));
        return { order, submitter, cleared: end?.type === 'job.settled', paid };
      }),
    );
};
