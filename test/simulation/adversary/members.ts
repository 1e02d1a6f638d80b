import { toMicro } from '../../../domain/money.ts';
import { NO_BOND, requiredBond } from '../../../domain/provider/bond.ts';
import { DEFAULT_T_REF } from '../../../domain/tiers.ts';
import type { Attack, Stage } from './attack.ts';
import type { Conduct, Misdeed } from './node.ts';
import { cheapest, ringOf } from './ring.ts';

/** Asks next to nothing, wins, and does something else. */
const launching = (deed: Misdeed): Conduct => ({ ...cheapest, launching: () => deed });
const crashing: Conduct = { ...cheapest, running: () => 'crashes' };

/** Posts a bond for each barred node, as soon as it may and as often. */
const postBonds = async ({ market: { engine, nodes }, every }: Stage): Promise<void> => {
  let asked = 0;
  const again = async (): Promise<void> => {
    for (const { providerId, owner, profile } of nodes.filter((each) => each.profile.barred)) {
      const bond = await engine.providers.find(providerId);
      const amount = requiredBond(profile.tops, bond ?? NO_BOND);
      const caller = { actor: owner, commandId: `bond/${providerId}/${asked++}` };
      await engine.providers.execute(providerId, { type: 'post-bond', amount, tRef: DEFAULT_T_REF }, caller);
    }
  };
  every(1_000, again);
};

/** Jobs for whose work nodes of bad or no standing are needed: with fewer, others have room for all of them. */
const CROWD = 60;

export const MEMBERS: readonly Attack[] = [
  {
    name: 'new names underbid and stay silent',
    from: '8, sybil',
    honestJobs: CROWD,
    nodes: ringOf(() => launching('stays-silent'), { newcomer: true }),
    without: 'absent',
  },
  {
    name: 'new names underbid and crash',
    from: '8, sybil',
    honestJobs: CROWD,
    nodes: ringOf(() => crashing, { newcomer: true }),
    without: 'absent',
  },
  {
    name: 'barred nodes post bonds and stay silent',
    from: 'bond-and-fault',
    honestJobs: CROWD,
    nodes: ringOf(() => launching('stays-silent'), { barred: true }),
    begin: postBonds,
  },
  {
    name: 'barred nodes post bonds and crash',
    from: 'bond-and-fault',
    honestJobs: CROWD,
    nodes: ringOf(() => crashing, { barred: true }),
    begin: postBonds,
  },
  {
    name: 'trusted members stay silent',
    from: 'betray',
    nodes: ringOf(() => launching('stays-silent')),
  },
  { name: 'trusted members decline', from: 'betray', nodes: ringOf(() => launching('declines')) },
  { name: 'trusted members refuse', from: 'betray', nodes: ringOf(() => launching('refuses')) },
  {
    name: 'members say the engine was away',
    from: 'engine-away refusals',
    nodes: ringOf(() => launching('claims-no-artefact')),
  },
  {
    name: 'slow members',
    from: '11, slow member',
    nodes: ringOf(() => ({ ...cheapest, running: () => ({ slower: 3 }) })),
  },
  {
    name: 'members too slow to end',
    from: '11, slow member',
    nodes: ringOf(() => ({ ...cheapest, running: () => ({ slower: 1_000 }) })),
  },
  {
    name: 'a member crashes for its ally',
    from: 'crash-for-ally',
    nodes: ringOf((index) => (index === 0 ? crashing : {})),
  },
  {
    name: 'a member crashes for allies that ask the ceiling',
    from: 'replacement collusion',
    nodes: ringOf((index) => (index === 0 ? crashing : { asks: (_, ceiling) => ceiling })),
  },
  {
    name: 'bidders that never have room',
    from: 'free bids',
    nodes: ringOf(() => ({ ...cheapest, confirming: 'never' })),
  },
  {
    name: 'a ring asks the ceiling',
    from: 'replacement collusion',
    nodes: ringOf(() => ({ asks: (price, ceiling) => (ceiling > price ? ceiling : toMicro(price)) })),
  },
];
