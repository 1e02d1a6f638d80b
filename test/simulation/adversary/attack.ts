import type { Customer } from './customer.ts';
import type { Market } from './market.ts';
import type { NodeProfile } from './node.ts';

/** What an attack may do. */
export interface Stage {
  readonly market: Market;
  /** A further principal of the attacker, with money of its own. */
  customer(name: string, money: bigint): Promise<Customer>;
  /** Repeats `work` every so many ms until the attack ends. */
  every(ms: number, work: () => unknown): void;
}

export interface Attack {
  readonly name: string;
  /** Rows of the table of issue 9 that it comes from, or the variant. */
  readonly from: string;
  /** The attacker's nodes; in the run that it is compared with they do as they should, or are not there. */
  readonly nodes?: readonly NodeProfile[];
  readonly without?: 'honest' | 'absent';
  /** Honest jobs that come meanwhile, where those of other attacks (honest.ts) are too few for its nodes to be hired. */
  readonly honestJobs?: number;
  /** What its submitters do; without it they do nothing. */
  readonly begin?: (stage: Stage) => Promise<void>;
}
