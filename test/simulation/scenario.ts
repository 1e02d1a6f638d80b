import { createAuctionActivities } from '../../activities/auction.ts';
import { createJobActivities } from '../../activities/job.ts';
import { createQuorumActivities } from '../../activities/quorum.ts';
import { openingFeeOf, reservationOf } from '../../domain/auction/asking.ts';
import { award } from '../../domain/auction/award.ts';
import type { OpenAuction } from '../../domain/auction/commands.ts';
import type { SubmitJob } from '../../domain/job/commands.ts';
import { transfer } from '../../domain/ledger/entry.ts';
import { account } from '../../domain/ledger/events.ts';
import { toMicro, units } from '../../domain/money.ts';
import type { Command } from '../../domain/ports/lifecycles.ts';
import type { Sealing } from '../../domain/ports/sealing.ts';
import type { Solver } from '../../domain/ports/solver.ts';
import { replaceMember } from '../../domain/quorum/replace.ts';
import { INFRASTRUCTURE_TYPES, TIER_NAMES, TIERS, type TierName } from '../../domain/tiers.ts';
import { addSeconds } from '../../domain/time.ts';
import { bidIdOf } from '../../infra/bidding/bid-id.ts';
import { createProviderMarket } from '../../infra/providers/provider-market.ts';
import { nodeActivities } from './nodes.ts';
import { type Activities, createWorld, type Draw, metaOf, type World } from './world.ts';

/** Secrecy is tested elsewhere: here a box is its own content. */
const openBoxes: Sealing = {
  createKey: async () => undefined,
  seal: async (_, plaintext) => plaintext,
  open: async (_, box) => (box === 'broken' ? null : box),
  openAll: async (_, boxes) => boxes.map(({ box }) => (box === 'broken' ? null : box)),
  destroyKey: async () => undefined,
};

const ulid = (index: number): string => String(index).padStart(26, '0');
const hex = (index: number): string => index.toString(16).padStart(64, '0');
/** How often a party looks whether its turn has come, before it acts all the same. */
const PATIENCE = 40;

/** Markets are small here, and threads would come back in any order. */
const solver: Solver = {
  award: async (input) => award(input),
  replaceMember: async (input) => replaceMember(input),
};

interface Bidder {
  readonly providerId: string;
  readonly owner: string;
}

const activitiesOf =
  (honesty: number) =>
  (world: World): Activities => {
    const { store, providers, lifecycles, now } = world;
    const market = createProviderMarket({ providers, now });
    return {
      ...createAuctionActivities({
        sealing: openBoxes,
        market,
        solver,
        // A node may have won elsewhere meanwhile.
        askRoom: async () => (world.draw(30) === 0 ? 'full' : 'held'),
        now,
      }),
      ...createQuorumActivities({ store, solver }),
      ...createJobActivities({ lifecycles, store, providers, now }),
      ...nodeActivities(world, honesty),
    };
  };

const fund = async ({ journal, now }: World, principal: string, amount: bigint): Promise<void> => {
  const id = `credit-${principal}`;
  const entry = transfer('credit', account.external, account.available(principal), toMicro(amount), id);
  const context = {
    occurredAt: now(),
    actor: 'test',
    correlationId: id,
    causationId: id,
    traceparent: null,
  };
  const posted = await journal.post([entry], context);
  if (!posted.ok) throw new Error(posted.message);
};

const register = async (world: World, index: number, ceiling: bigint): Promise<Bidder> => {
  const { draw, providers, now } = world;
  const bidder = { providerId: `provider-${ulid(index)}`, owner: `subject-${ulid(index)}` };
  const caller = (part: string) => ({ actor: bidder.owner, commandId: `${part}/${bidder.providerId}` });
  await providers.execute(
    bidder.providerId,
    {
      type: 'register',
      ...bidder,
      infrastructureType: INFRASTRUCTURE_TYPES[index % 6] as (typeof INFRASTRUCTURE_TYPES)[number],
      asn: 64_500 + (draw(8) === 0 ? 0 : index),
      region: `region-${draw(8) === 0 ? 0 : index}`,
      tops: 1000,
      publicKey: hex(index),
    },
    caller('register'),
  );
  if (draw(20) !== 0) {
    const expiresAt = addSeconds(now(), 86_400);
    await providers.execute(
      bidder.providerId,
      {
        type: 'attest',
        platform: 'amd_sev_snp',
        label: 'simulated',
        reportHash: hex(1),
        nonce: hex(2),
        expiresAt,
      },
      caller('attest'),
    );
  }
  // Some can afford one deposit only, some none.
  await fund(world, bidder.owner, draw(20) === 0 ? ceiling - 1n : draw(6) === 0 ? ceiling : 5n * ceiling);
  return bidder;
};

export const SUBMITTER = 'subject-submitter';

const bidsOn = (world: World, auctionId: string, bidders: readonly Bidder[], ceiling: bigint): void => {
  const { draw, lifecycles, hosts } = world;
  const place = (bidder: Bidder, tries: number) => async (): Promise<void> => {
    if (!hosts.has(auctionId) && tries > 0) return world.soon(place(bidder, tries - 1));
    const price = (BigInt(draw(110)) * ceiling) / 100n;
    const command = {
      type: 'place-bid',
      bidId: bidIdOf(auctionId, bidder.providerId),
      ...bidder,
      sealed: draw(30) === 0 ? 'broken' : JSON.stringify({ price: `${price}` }),
    };
    await lifecycles.execute(auctionId, command, metaOf(`${auctionId}/${draw(1000)}`, bidder.owner));
  };
  for (const bidder of bidders) if (draw(12) !== 0) world.soon(place(bidder, PATIENCE));
  // A second bid of an owner, and one of the submitter: both are refused.
  world.soon(place(bidders[draw(bidders.length)] as Bidder, PATIENCE));
  world.soon(place({ providerId: 'provider-self', owner: SUBMITTER }, PATIENCE));
};

const jobOf = (index: number, tier: TierName, ceiling: bigint, auctionGiven: boolean): SubmitJob => ({
  type: 'submit',
  jobId: `job-${ulid(index)}`,
  submitter: SUBMITTER,
  quoteId: `quote-${ulid(index)}`,
  auctionId: `auction-${ulid(index)}`,
  auctionGiven,
  tier,
  tierTableVersion: 1,
  requiredTops: 500,
  utilization: 0.8,
  durationSeconds: 60,
  ceiling: toMicro(ceiling),
  codeHash: hex(3),
  args: ['--all'],
  inputHash: hex(4),
  memoryMb: 64,
  auctionSeconds: 20,
  allowSimulated: true,
  seed: hex(100 + index),
});

const auctionOf = ({ auctionId, quoteId, seed, ceiling, tier }: SubmitJob): OpenAuction => ({
  type: 'open',
  auctionId,
  submitter: SUBMITTER,
  jobId: null,
  quoteId,
  tier,
  tierTableVersion: 1,
  requiredTops: 500,
  utilization: 0.8,
  durationSeconds: 60,
  ceiling,
  auctionSeconds: 20,
  seed,
});

const submit = (world: World, job: SubmitJob): void => {
  const { lifecycles, hosts, draw } = world;
  const open = () => lifecycles.open('job', job.jobId, job, metaOf(`${job.jobId}/submit`, SUBMITTER));
  if (!job.auctionGiven) return world.soon(open);
  const auction = auctionOf(job);
  world.soon(() =>
    lifecycles.open('auction', job.auctionId, auction, metaOf(`${job.auctionId}/open`, SUBMITTER)),
  );
  if (draw(5) === 0) return;
  // Mostly it takes the award once there is one; sometimes it comes too early, or too late.
  const take = (tries: number) => async (): Promise<unknown> => {
    const awarded = hosts.get(job.auctionId)?.snapshot.value === 'awarded';
    return awarded || tries === 0 ? open() : world.soon(take(tries - 1));
  };
  world.soon(take(draw(4) === 0 ? 0 : 150));
};

/**
 * Plays one scenario drawn from `draw`, to its end or for `steps`: bidders, auctions and jobs, with what may go wrong in
 * them.
 */
export const play = async (draw: Draw, steps?: number): Promise<World> => {
  const world = createWorld(draw, activitiesOf([1_000_000, 30, 8][draw(3)] as number));
  const ceiling = 1_000_003n;
  const tier = TIER_NAMES[draw(TIER_NAMES.length)] as TierName;
  const bidders: Bidder[] = [];
  for (let index = 1, count = TIERS[tier].minimumOwners - 1 + draw(6); index <= count; index++)
    bidders.push(await register(world, index, ceiling));
  const jobs = Array.from({ length: 1 + draw(2) }, (_, index) =>
    jobOf(index + 1, tier, ceiling, draw(3) === 0),
  );
  const { winners } = TIERS[tier];
  const { held } = reservationOf({ requiredTops: 500 });
  const cost = (ceiling + units(held)) * BigInt(winners) + units(openingFeeOf(toMicro(ceiling), winners));
  await fund(world, SUBMITTER, cost * BigInt(1 + draw(2)));
  for (const job of jobs) {
    submit(world, job);
    bidsOn(world, job.auctionId, bidders, ceiling);
  }
  // Somebody with the right to do so destroys an enclave.
  if (draw(6) === 0) {
    world.soon(async () => {
      const [enclave] = [...world.hosts.keys()].filter((stream) => stream.startsWith('enclave-'));
      if (enclave)
        await world.lifecycles.execute(
          enclave,
          { type: 'destroy', reason: 'on request' } as Command,
          metaOf('destroy-1', SUBMITTER),
        );
    });
  }
  await world.run(steps);
  return world;
};
