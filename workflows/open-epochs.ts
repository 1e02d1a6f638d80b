import { proxyActivities } from '@temporalio/workflow';
import type { TopologyActivities } from '../activities/topology.ts';
import type { TopologySettings } from '../domain/topology/epoch.ts';

/** Started by the schedule at the turn of every epoch. It is no lifecycle: what it opens are. */
export const openEpochs = (settings: TopologySettings): Promise<void> => {
  const { 'topology.openDue': openDue } = proxyActivities<TopologyActivities>({
    startToCloseTimeout: '30 seconds',
    retry: { initialInterval: '500 milliseconds', maximumInterval: '15 seconds' },
  });
  return openDue(settings);
};
