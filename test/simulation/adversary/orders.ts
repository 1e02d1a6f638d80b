import { ZERO } from '../../../domain/money.ts';
import type { CommandOutcome } from '../../../domain/ports/lifecycles.ts';
import type { Attack } from './attack.ts';
import type { Customer, Order, Wanted } from './customer.ts';
import { cheapest, ringOf } from './ring.ts';

/** Sizes that take a whole node of each kind there is. */
const WHOLE_NODES = [6_000, 4_000, 2_000] as const;
/** Open at once, of the 16 that a submitter may have: enough to hold every node. */
const OPEN_AT_ONCE = 4;
/**
 * What an attacker brings, micro-units: half as much again as all honest submitters spend. With more it could buy most of
 * the capacity there is at the list price, which is no attack.
 */
const MONEY = 1_000_000n;

/** With this it pays for no more at once than honest nodes leave: with more it would buy out the market, and pay for it. */
const SMALL = { most: 1, money: MONEY / 4n };

/** Orders of `wanted`, one after the other, as many at once as `most`, from each of `customers`. */
const floodOf =
  (
    wanted: (index: number) => Wanted,
    send: (customer: Customer, order: Order) => Promise<CommandOutcome>,
    { customers = 1, most = OPEN_AT_ONCE, money = MONEY } = {},
  ): NonNullable<Attack['begin']> =>
  async ({ customer, every }) => {
    for (let number = 0; number < customers; number++) {
      const attacker = await customer(`attacker-${number}`, money / BigInt(customers));
      let index = 0;
      every(1_000, async () => {
        while (attacker.openAuctions() < most) {
          const sent = await send(attacker, attacker.order(wanted(index++)));
          if (sent.ok) continue;
          // Its money is bound by other orders, or spent.
          if (sent.code === 'INSUFFICIENT_BALANCE') return;
          throw new Error(sent.message);
        }
      });
    }
  };

const submit = (customer: Customer, order: Order) => customer.submit(order);

/** Hardly any work, and so hardly any price, on whole nodes. */
const cheap = (index: number, change: Partial<Wanted> = {}): Wanted => ({
  tier: 'bronze',
  tops: WHOLE_NODES[index % WHOLE_NODES.length] as number,
  utilization: 0.0001,
  durationSeconds: 1,
  auctionSeconds: 5,
  share: 0,
  ...change,
});

/** Work of a usual size that comes to nothing, so that the least is paid for it. */
const idle = (index: number, change: Partial<Wanted> = {}): Wanted => ({
  ...cheap(index),
  utilization: 0.8,
  durationSeconds: 60,
  ...change,
});

/** Work of a module that waits for memory at every step, and is not done in time on any usual machine. */
const slow = (index: number, change: Partial<Wanted> = {}): Wanted => ({
  ...idle(index),
  tops: 2_000,
  share: 0.9,
  pace: 10,
  ...change,
});

/** Orders that would cost nothing, or that a node would refuse at its own expense. */
const refused: NonNullable<Attack['begin']> = async ({ customer, every }) => {
  const attacker = await customer('attacker', MONEY);
  const broken: readonly Partial<Order>[] = [
    { ceiling: ZERO },
    { args: ['\u0000'] },
    { args: Array.from({ length: 65 }, () => 'a') },
    { auctionSeconds: 86_400 },
    { durationSeconds: 30 * 86_400 },
  ];
  every(1_000, async () => {
    for (const change of broken) {
      const outcome = await attacker.submit({ ...attacker.order(idle(0)), ...change });
      if (outcome.ok) throw new Error(`an order was taken: ${JSON.stringify(change)}`);
    }
  });
};

export const ORDERS: readonly Attack[] = [
  { name: 'free orders', from: '2, 6', begin: refused },
  {
    name: 'cheap orders open for an hour',
    from: '6',
    begin: floodOf((index) => cheap(index, { auctionSeconds: 3_600 }), submit, { most: 16 }),
  },
  { name: 'rapid short orders', from: 'rapid short orders', begin: floodOf(cheap, submit) },
  {
    name: 'rapid short orders of three submitters',
    from: 'sybil',
    begin: floodOf(cheap, submit, { customers: 3 }),
  },
  {
    name: 'rapid orders for next to no capacity',
    from: 'capacity lock',
    begin: floodOf((index) => cheap(index, { tops: 1 }), submit),
  },
  {
    name: 'orders without work',
    from: '13',
    begin: floodOf(idle, submit),
  },
  {
    name: 'large orders without work',
    from: 'capacity lock',
    begin: floodOf((index) => idle(index, { durationSeconds: 600 }), submit),
  },
  {
    name: 'modules too slow for their time',
    from: 'slow module',
    begin: floodOf(slow, submit, SMALL),
  },
  {
    name: 'modules too slow for the time of two members',
    from: 'slow module',
    begin: floodOf((index) => slow(index, { tier: 'silver' }), submit, SMALL),
  },
  {
    name: 'modules too slow for the time of three members',
    from: 'slow module',
    begin: floodOf((index) => slow(index, { tier: 'gold' }), submit, SMALL),
  },
  {
    name: 'modules made for a machine of the attacker’s own',
    from: 'slow module',
    nodes: ringOf(() => ({ ...cheapest, running: () => ({ slower: 0.1 }) })),
    begin: floodOf((index) => slow(index, { tier: 'silver', tops: 4_000 }), submit),
  },
  {
    name: 'platinum orders that find too few owners',
    from: 'capacity lock',
    begin: floodOf(() => idle(0, { tier: 'platinum' }), submit),
  },
  {
    name: 'awards that lapse',
    from: 'award hoarding',
    begin: floodOf(idle, (customer, order) => customer.auction(order)),
  },
  {
    name: 'awards of cheap orders that lapse',
    from: 'award hoarding',
    begin: floodOf(cheap, (customer, order) => customer.auction(order)),
  },
  {
    name: 'awards taken at the last moment',
    from: '4',
    begin: async (stage) => {
      const { clock } = stage.market.engine;
      const taken = async (customer: Customer, order: Order): Promise<CommandOutcome> => {
        const opened = await customer.auction(order);
        if (opened.ok) clock.after(1000 * order.auctionSeconds + 118_000, () => customer.take(order));
        return opened;
      };
      await floodOf(idle, taken)(stage);
    },
  },
];
