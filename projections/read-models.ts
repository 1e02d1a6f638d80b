import { auctions } from './auctions/projection.ts';
import { enclaves } from './enclaves/projection.ts';
import { jobs } from './jobs/projection.ts';
import { ledger } from './ledger/projection.ts';
import { predicates } from './predicates/projection.ts';
import type { Projection } from './projection.ts';
import { providers } from './providers/projection.ts';
import { quorums } from './quorums/projection.ts';
import { neighbourDraws } from './topologies/draws.ts';
import { topologies } from './topologies/projection.ts';
import { trust } from './trust/projection.ts';

/** Every read model there is. */
export const READ_MODELS: readonly Projection[] = [
  auctions,
  enclaves,
  jobs,
  ledger,
  neighbourDraws,
  predicates,
  providers,
  quorums,
  topologies,
  trust,
];

/** @throws RangeError naming the ones there are. */
export const readModel = (name: string): Projection => {
  const found = READ_MODELS.find((projection) => projection.name === name);
  if (!found)
    throw new RangeError(
      `no read model ${name}; there are ${READ_MODELS.map((each) => each.name).join(', ')}`,
    );
  return found;
};
