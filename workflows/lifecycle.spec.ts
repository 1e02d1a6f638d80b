import { describe, expect, test } from 'vitest';
import { LIFECYCLES } from '../domain/registry.ts';
import { auctionLifecycle } from './auction.ts';
import { enclaveLifecycle } from './enclave.ts';
import { jobLifecycle } from './job.ts';
import { type Lifecycle, lifecycleAt, lifecycleOf, type Policies } from './lifecycle.ts';
import { predicateLifecycle } from './predicate.ts';
import { quorumLifecycle } from './quorum.ts';
import { topologyLifecycle } from './topology.ts';

const all: readonly Lifecycle[] = [
  auctionLifecycle,
  enclaveLifecycle,
  jobLifecycle,
  predicateLifecycle,
  quorumLifecycle,
  topologyLifecycle,
];
const versions = all.flatMap((lifecycle) =>
  Object.keys(lifecycle.family.versions).map((version) => ({
    name: `${lifecycle.aggregate} version ${version}`,
    ...lifecycleAt(lifecycle, Number(version)),
  })),
);

describe('policies of machine versions', () => {
  test('there is a lifecycle for every aggregate of the registry', () => {
    expect(all.map(({ aggregate }) => aggregate).sort()).toEqual(Object.keys(LIFECYCLES).sort());
  });

  test.each(versions)(
    '$name has one for each effect that its machine names, and no other',
    ({ effects, version }) => {
      const named = Object.keys(version.machine.implementations.actors);
      expect(named.length).toBeGreaterThan(0);
      expect(Object.keys(effects).sort()).toEqual(named.sort());
    },
  );

  test('a version that nobody gave policies does not compile, and one that nobody knows does not run', () => {
    const first: Policies = lifecycleAt(enclaveLifecycle, 1);
    lifecycleOf('enclave', { 1: first, 2: first, 3: first, 4: first });
    // @ts-expect-error -- version 1 is missing
    lifecycleOf('enclave', { 2: first, 3: first, 4: first });
    expect(() => lifecycleAt(enclaveLifecycle, 99)).toThrow('enclave has no machine version 99');
  });
});
