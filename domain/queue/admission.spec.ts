import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_OPEN_AUCTIONS } from '../auction/asking.ts';
import { TIERS, type TierName } from '../tiers.ts';
import { type AdmittedJob, admissible, inTurn, type Market, type WaitingJob } from './admission.ts';
import { couldHaveRoomFor, hasRoomFor, type NodeRoom, type Order } from './room.ts';

const order = (tier: TierName = 'silver', requiredTops = 500): Order => ({
  tier,
  requiredTops,
  utilization: 0.8,
  durationSeconds: 60,
  memoryMb: 64,
});
const node = (index: number, places: number, held: readonly Order[] = []): NodeRoom => ({
  providerId: `provider-${index}`,
  owner: `owner-${index}`,
  tops: 100_000,
  told: { places, memoryMb: 100_000, rate: null },
  isUp: true,
  held,
});
const waiting = (index: number, change: Partial<WaitingJob> = {}): WaitingJob => ({
  jobId: `job-${String(index).padStart(4, '0')}`,
  submitter: 'subject-a',
  order: order(),
  auctionSeconds: 5,
  sinceMs: index,
  notBeforeMs: 0,
  ...change,
});
const market = (nodes: readonly NodeRoom[], change: Partial<Market> = {}): Market => ({
  nodes,
  admitted: [],
  ownAuctions: new Map(),
  nowMs: 10_000,
  ...change,
});
const pendingOf = (job: WaitingJob, closesAtMs: number | null = 15_000): AdmittedJob => ({
  ...job,
  closesAtMs,
});
const idsOf = (jobs: readonly WaitingJob[]): string[] => jobs.map(({ jobId }) => jobId);

describe('room for an auction', () => {
  test('is there when nodes of enough owners have it, whatever others under way are awarded', () => {
    const nodes = [1, 2, 3, 4].map((index) => node(index, 2));
    // Of eight places the worst award of one takes two of one node each: three owners are left after two, not after three.
    expect([0, 1, 2, 3].map((count) => hasRoomFor(nodes, Array(count).fill(order()), order()))).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect(hasRoomFor(nodes.slice(2), [], order())).toBe(false);
  });

  test('two nodes of one owner count as one, as do bids', () => {
    const twins = [node(1, 2), { ...node(2, 2), owner: 'owner-1' }, node(3, 2)];
    expect(hasRoomFor(twins, [], order())).toBe(false);
  });

  test('a node has none that is away, full, too small, or too slow beside what it runs', () => {
    const others = [node(1, 2), node(2, 2)];
    const rate = { perSecond: 500_000_000, cores: 1, startSeconds: 0 };
    const third = node(3, 2);
    const lacking: NodeRoom[] = [
      { ...third, isUp: false },
      { ...third, held: [order(), order()] },
      { ...third, tops: 499 },
      { ...third, told: { places: 2, memoryMb: 63, rate: null } },
      { ...third, told: { places: 2, memoryMb: 64_000, rate }, held: [order()] },
    ];
    expect(hasRoomFor([...others, third], [], order())).toBe(true);
    expect(lacking.map((each) => hasRoomFor([...others, each], [], order()))).toEqual(
      lacking.map(() => false),
    );
    // Of a node that has not told, its registered throughput is known.
    expect(hasRoomFor([...others, { ...third, told: null }], [], order())).toBe(true);
  });

  test('waiting helps where the nodes that are known could do it, idle and here', () => {
    const busy = [1, 2, 3].map((index) => ({ ...node(index, 1, [order()]), isUp: false }));
    expect(couldHaveRoomFor(busy, order())).toBe(true);
    expect(couldHaveRoomFor(busy, order('gold'))).toBe(false);
  });
});

describe('letting out', () => {
  const nodes = [1, 2, 3, 4].map((index) => node(index, 2));

  test('as many as surely find bids, the oldest of a submitter first', () => {
    const jobs = [3, 1, 2, 4].map((index) => waiting(index));
    expect(idsOf(admissible(market(nodes), jobs))).toEqual(['job-0001', 'job-0002']);
    const admitted = [pendingOf(waiting(0))];
    expect(idsOf(admissible(market(nodes, { admitted }), jobs))).toEqual(['job-0001']);
  });

  test('what closes much later takes no room from it, nor does what has its members', () => {
    const admitted = [100_000, null].flatMap((closesAtMs) =>
      [1, 2, 3].map((index) => pendingOf(waiting(100 + index, { submitter: 'subject-b' }), closesAtMs)),
    );
    expect(admissible(market(nodes, { admitted }), [waiting(1)])).toHaveLength(1);
  });

  test('settled 41: no more than so many open auctions of a submitter', () => {
    const plenty = [1, 2, 3].map((index) => node(index, 1000));
    const jobs = Array.from({ length: 40 }, (_, index) => waiting(index));
    expect(admissible(market(plenty), jobs)).toHaveLength(MAX_OPEN_AUCTIONS);
    const ownAuctions = new Map([['subject-a', 6]]);
    expect(admissible(market(plenty, { ownAuctions }), jobs)).toHaveLength(MAX_OPEN_AUCTIONS - 6);
  });

  test('an auction that failed is not repeated at once', () => {
    const early = waiting(1, { notBeforeMs: 10_001 });
    expect(idsOf(admissible(market(nodes), [early, waiting(2)]))).toEqual(['job-0002']);
  });

  test('what no waiting helps is let out, for its auction to tell, and keeps nobody else from room', () => {
    const jobs = [waiting(1, { order: order('platinum') }), waiting(2), waiting(3), waiting(4)];
    expect(idsOf(admissible(market(nodes), jobs))).toEqual(['job-0001', 'job-0002', 'job-0003']);
  });

  test('a large job is passed for a while; then room is kept for it, but not for ever, and not where nodes are away', () => {
    const six = [1, 2, 3, 4].map((index) => node(index, 2)).concat(node(5, 1, [order()]), node(6, 2));
    const large = waiting(1, { order: order('platinum'), submitter: 'subject-b' });
    const small = waiting(2);
    const passes = (nowMs: number, of = six) => idsOf(admissible(market(of, { nowMs }), [large, small]));
    expect(passes(29_000)).toEqual(['job-0002']);
    expect(passes(31_000)).toEqual([]);
    expect(passes(200_000)).toEqual(['job-0002']);
    expect(
      passes(
        31_000,
        six.map((each) => (each.owner === 'owner-6' ? { ...each, isUp: false } : each)),
      ),
    ).toEqual(['job-0002']);
  });
});

const submitters = fc.constantFrom('subject-a', 'subject-b', 'subject-c');
const tiers = fc.constantFrom<TierName>('bronze', 'silver', 'gold');
const queue = fc.array(fc.record({ submitter: submitters, sinceMs: fc.nat(1000), tier: tiers }), {
  maxLength: 24,
});

describe('properties of the queue', () => {
  test('turns: nobody is behind two jobs of one other submitter that joined no earlier than its own first', () => {
    fc.assert(
      fc.property(queue, (jobs) => {
        const line = inTurn(
          jobs.map(({ submitter, sinceMs }, index) => waiting(index, { submitter, sinceMs })),
          [],
        );
        for (const submitter of ['subject-a', 'subject-b', 'subject-c']) {
          const own = line.flatMap((job, index) => (job.submitter === submitter ? [index] : []));
          // Between two jobs of a submitter every other one has at most two.
          for (const [turn, index] of own.entries()) {
            const ahead = line.slice(0, index).filter((job) => job.submitter !== submitter);
            for (const other of new Set(ahead.map((job) => job.submitter)))
              expect(ahead.filter((job) => job.submitter === other).length).toBeLessThanOrEqual(turn + 1);
          }
        }
      }),
    );
  });

  test('a flood of one submitter keeps another from its first turn for no longer than one job takes', () => {
    const flood = Array.from({ length: 500 }, (_, index) => waiting(index));
    const late = waiting(999, { submitter: 'subject-b', sinceMs: 9999 });
    expect(inTurn([...flood, late], [])[1]?.jobId).toBe(late.jobId);
    // Whose jobs are under way already comes after who has none.
    expect(inTurn([...flood, late], [{ submitter: 'subject-a' }])[0]?.jobId).toBe(late.jobId);
  });

  test('whoever is let out finds room, in whatever order the others are awarded what they want', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(4), { minLength: 4, maxLength: 7 }),
        queue,
        fc.infiniteStream(fc.nat(1_000_000)),
        (places, jobs, draws) => {
          const nodes = places.map((count, index) => node(index, count + 1));
          const chosen = admissible(
            market(nodes),
            jobs.map(({ submitter, sinceMs, tier }, index) =>
              waiting(index, { submitter, sinceMs, order: order(tier) }),
            ),
          ).filter((job) => couldHaveRoomFor(nodes, job.order));
          const draw = (below: number): number => (draws.next().value as number) % below;
          const free = new Map(places.map((count, index) => [index, count + 1]));
          const left = [...chosen];
          while (left.length > 0) {
            const [job] = left.splice(draw(left.length), 1);
            const { winners, minimumOwners } = TIERS[(job as WaitingJob).order.tier];
            const open = [...free].filter(([, count]) => count > 0).map(([index]) => index);
            expect(open.length).toBeGreaterThanOrEqual(minimumOwners);
            for (let won = 0; won < winners; won++) {
              const [index] = open.splice(draw(open.length), 1);
              free.set(index as number, (free.get(index as number) ?? 0) - 1);
            }
          }
        },
      ),
    );
  });
});
