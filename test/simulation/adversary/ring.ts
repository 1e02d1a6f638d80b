import { ZERO } from '../../../domain/money.ts';
import type { Conduct, NodeProfile } from './node.ts';

const TYPES = ['cloud_aws', 'private_datacenters', 'hybrid_environments'] as const;

/** Nodes of owners that nobody knows to be one: three identities, each with its chip and its stake. */
export const ringOf = (
  conduct: (index: number) => Conduct,
  change: Partial<NodeProfile> = {},
): NodeProfile[] =>
  TYPES.map((infrastructureType, index) => ({
    name: `attacker-${index}`,
    infrastructureType,
    tops: 6_000,
    pricePerH200Hour: 300_000n,
    ...change,
    conduct: conduct(index),
  }));

/** Asks next to nothing. */
export const cheapest: Conduct = { asks: () => ZERO };
