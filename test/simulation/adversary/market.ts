import { createAuctionActivities } from '../../../activities/auction.ts';
import { createJobActivities } from '../../../activities/job.ts';
import { createQuorumActivities } from '../../../activities/quorum.ts';
import { createStandbyActivities } from '../../../activities/standby.ts';
import type { Auction } from '../../../domain/auction/auction.ts';
import { award } from '../../../domain/auction/award.ts';
import { generator } from '../../../domain/auction/market.fixture.ts';
import type { Room } from '../../../domain/auction/room.ts';
import { transfer } from '../../../domain/ledger/entry.ts';
import { account } from '../../../domain/ledger/events.ts';
import { sizeOf } from '../../../domain/mesh/bid-policy.ts';
import { toMicro } from '../../../domain/money.ts';
import type { Sealing } from '../../../domain/ports/sealing.ts';
import type { ProviderCommand } from '../../../domain/provider/decide.ts';
import { requiredStake } from '../../../domain/provider/stake.ts';
import { replaceMember } from '../../../domain/quorum/replace.ts';
import { DEFAULT_T_REF } from '../../../domain/tiers.ts';
import { addSeconds } from '../../../domain/time.ts';
import { createBidDesk } from '../../../infra/bidding/bid-desk.ts';
import { createBidNews } from '../../../infra/bidding/bid-news.ts';
import { createBidViews } from '../../../infra/bidding/bid-views.ts';
import { announceAuctions } from '../../../infra/main/worker/announce.ts';
import { createBonds, roomUnderBond } from '../../../infra/providers/bonds.ts';
import { createProviderMarket } from '../../../infra/providers/provider-market.ts';
import type { Draw } from '../world.ts';
import { askStandby } from './ask-standby.ts';
import { createClock } from './clock.ts';
import { enclaveActivities } from './enclaves.ts';
import { createEngine, type Engine } from './engine.ts';
import { createNode, type Desk, MESSAGE_MS, type NodeProfile, type SimulatedNode } from './node.ts';
import type { Workload } from './workload.ts';

/** Secrecy is tested elsewhere: here a box is its own content. */
const openBoxes: Sealing = {
  createKey: async () => undefined,
  seal: async (_, plaintext) => plaintext,
  open: async (_, box) => box,
  openAll: async (_, boxes) => boxes.map(({ box }) => box),
  destroyKey: async () => undefined,
};

/** What every owner of a node has at the start. */
export const OWNER_CREDIT = 1_000_000_000n;
const DAY = 86_400;
/** Jobs of as many payers, which is more than full standing takes. */
const RECORD = 12;

/** A market: an engine with its nodes, all of them listed, staked and, unless newcomers, trusted. */
export interface Market {
  readonly engine: Engine;
  readonly nodes: readonly SimulatedNode[];
  /** What a job comes to, by its id. */
  readonly workloads: Map<string, Workload>;
  readonly draw: Draw;
  fund(principal: string, amount: bigint): Promise<void>;
  close(): Promise<void>;
}

export const openMarket = async (profiles: readonly NodeProfile[], seed: number): Promise<Market> => {
  const random = generator(seed);
  const draw: Draw = (below) => Math.floor(random() * below);
  const clock = createClock();
  const workloads = new Map<string, Workload>();
  const byId = new Map<string, SimulatedNode>();
  const nodeOf = (providerId: string): SimulatedNode => {
    const node = byId.get(providerId);
    if (!node) throw new Error(`no node ${providerId}`);
    return node;
  };
  const solver = {
    award: async (input: Parameters<typeof award>[0]) => award(input),
    replaceMember: async (input: Parameters<typeof replaceMember>[0]) => replaceMember(input),
  };
  const { now } = clock;
  const askRoom = async (
    providerId: string,
    auction: Pick<Auction, 'auctionId' | 'requiredTops' | 'memoryMb'>,
  ): Promise<Room> => {
    await clock.pause(2 * MESSAGE_MS);
    return nodeOf(providerId).bidder.confirm(auction.auctionId, sizeOf(auction)) ? 'held' : 'full';
  };
  const engine = createEngine(clock, ({ store, providers, lifecycles }) => {
    const bonds = createBonds({ store, providers, now });
    return {
      ...createAuctionActivities({
        sealing: openBoxes,
        market: createProviderMarket({ providers, now }),
        solver,
        askRoom: roomUnderBond(askRoom, bonds),
        now,
      }),
      ...createQuorumActivities({ store, solver }),
      ...createJobActivities({ lifecycles, store, providers, now }),
      ...createStandbyActivities({ ask: askStandby(clock, nodeOf), lifecycles, mayWin: bonds.mayWin }),
      ...enclaveActivities(clock, nodeOf, workloads),
    };
  });
  const { store, providers, lifecycles, journal } = engine;
  const desk: Desk = {
    placeBid: createBidDesk({
      lifecycles,
      tRef: DEFAULT_T_REF,
      sealing: openBoxes,
      ...createBidViews({ store, providers, providersOf: () => Promise.resolve([]), now }),
    }).placeBid,
    bidNews: createBidNews({ store }),
  };

  const fund = async (principal: string, amount: bigint): Promise<void> => {
    const id = `credit-${principal}`;
    const entry = transfer('credit', account.external, account.available(principal), toMicro(amount), id);
    const context = { actor: 'test', correlationId: id, causationId: id, traceparent: null };
    const posted = await journal.post([entry], { ...context, occurredAt: now() });
    if (!posted.ok) throw new Error(posted.message);
  };

  const enrol = async (
    { providerId, owner, publicKey, profile }: SimulatedNode,
    index: number,
  ): Promise<void> => {
    const { infrastructureType, tops, newcomer = false, barred = false } = profile;
    const tell = async (part: string, command: ProviderCommand, actor = owner): Promise<void> => {
      const outcome = await providers.execute(providerId, command, {
        actor,
        commandId: `${part}/${providerId}`,
      });
      if (!outcome.ok) throw new Error(outcome.message);
    };
    await fund(owner, OWNER_CREDIT);
    const place = { infrastructureType, asn: 64_496 + index, region: `region-${index}` };
    await tell('register', { type: 'register', providerId, owner, ...place, tops, publicKey });
    const report = {
      platform: 'amd_sev_snp',
      label: 'simulated',
      reportHash: publicKey,
      nonce: publicKey,
    } as const;
    await tell('attest', { type: 'attest', ...report, expiresAt: addSeconds(now(), DAY) });
    await tell('stake', { type: 'lock-stake', amount: requiredStake(tops) });
    for (let job = 0; !newcomer && job < RECORD; job++) {
      const work = { payer: `payer-${job}`, fee: toMicro(1_000_000n) };
      const evidenceId = `record-${job}`;
      const facts = barred
        ? ({ reason: 'no-show', work } as const)
        : ({ reason: 'completed', work } as const);
      await tell(evidenceId, { type: 'record-evidence', evidenceId, ...facts }, 'engine');
    }
  };

  const nodes = profiles.map((profile, index) => createNode(clock, () => desk, profile, index));
  for (const [index, node] of nodes.entries()) {
    byId.set(node.providerId, node);
    await enrol(node, index);
  }
  const closing = new AbortController();
  const announcing = announceAuctions({
    store,
    mesh: {
      announce: async (auction) => {
        for (const { bidder } of nodes) clock.after(MESSAGE_MS, () => bidder.opened(auction));
        return nodes.length;
      },
      auctionEnded: async (auctionId, winners, takenBy) => {
        for (const { bidder, providerId } of nodes) {
          const won = winners.includes(providerId);
          const outcome = { won, ...(won && takenBy !== undefined && { takenBy }) };
          clock.after(MESSAGE_MS, () => bidder.ended(auctionId, outcome));
        }
      },
    },
    log: {
      warn: (facts: unknown) => {
        throw new Error(`an auction could not be announced: ${JSON.stringify(facts)}`);
      },
    },
    after: 0n,
    signal: closing.signal,
  });
  return {
    engine,
    nodes,
    workloads,
    draw,
    fund,
    async close() {
      closing.abort();
      await announcing;
      await store.close();
    },
  };
};
