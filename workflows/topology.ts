import type { TopologyFailed } from '../domain/topology/events.ts';
import type { Topology } from '../domain/topology/machine.ts';
import { runLifecycle } from './host.ts';
import { type ActivityEffect, type LifecycleInput, lifecycleOf, type Policies } from './lifecycle.ts';

/** An epoch waits for its servers as long as they take: it has nothing else to do. */
const RETRY = { initialInterval: '500 milliseconds', maximumInterval: '15 seconds' } as const;

const failed = (_: unknown, message: string): TopologyFailed[] => [{ type: 'topology.failed', message }];

const effect = (
  startToCloseTimeout: '1 minute' | '10 minutes',
  whenFailed: ActivityEffect<{ readonly topology: Topology }>['failed'],
): ActivityEffect<{ readonly topology: Topology }> => ({
  kind: 'activity',
  local: false,
  options: { startToCloseTimeout, heartbeatTimeout: '1 minute', retry: RETRY },
  failed: whenFailed,
});

const policies: Policies = {
  effects: {
    commitCandidates: effect('1 minute', failed),
    fixBeacon: effect('1 minute', failed),
    collectSelections: effect('10 minutes', () => []),
  },
};

export const topologyLifecycle = lifecycleOf('topology', { 1: policies });

/** One epoch of the topology, from its announcement until its draws no longer hold. */
export const topology = (input: LifecycleInput) => runLifecycle(topologyLifecycle, input);
