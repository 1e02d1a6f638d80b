import type { Attack } from './attack.ts';

/** Enclaves without a job that one creator may have at once (`TEE_ENCLAVES_PER_CREATOR`). */
const AT_ONCE = 4;
const CREATORS = 4;
/** Enough for the rent of all its places. */
const MONEY = 2_500_000n;

export const RENTED: readonly Attack[] = [
  {
    name: 'enclaves kept for an hour',
    from: '5',
    begin: async ({ market, customer }) => {
      for (let number = 0; number < CREATORS; number++) {
        const attacker = await customer(`attacker-${number}`, MONEY);
        for (let place = 0; place < AT_ONCE; place++) {
          const node = market.nodes[(number * AT_ONCE + place) % market.nodes.length];
          if (node) market.engine.clock.after(0, () => attacker.create(node));
        }
      }
    },
  },
  {
    name: 'enclaves created and ended at once',
    from: '5',
    begin: async ({ market, customer, every }) => {
      for (let number = 0; number < CREATORS; number++) {
        const attacker = await customer(`attacker-${number}`, MONEY);
        let next = 0;
        every(1_000, async () => {
          for (let place = 0; place < AT_ONCE; place++) {
            const node = market.nodes[(number + next++) % market.nodes.length];
            if (!node) continue;
            const enclaveId = await attacker.create(node);
            market.engine.clock.after(350, () => attacker.terminate(enclaveId));
          }
        });
      }
    },
  },
];
