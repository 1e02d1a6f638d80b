import { proxyActivities, workflowInfo } from '@temporalio/workflow';
import { type Call, isForged } from '../domain/ports/seals.ts';
import type { TopologySettings } from '../domain/topology/epoch.ts';
import { answerTo, refuseForged } from './calls.ts';

/** Started by the schedule at the turn of every epoch. It is no lifecycle: what it opens are. */
export const openEpochs = async (settings: TopologySettings): Promise<void> => {
  refuseForged(settings !== undefined && !isForged(settings), 'how epochs are opened');
  const { 'topology.openDue': openDue } = proxyActivities<{
    'topology.openDue': (settings: TopologySettings, call: Call) => Promise<unknown>;
  }>({
    startToCloseTimeout: '30 seconds',
    retry: { initialInterval: '500 milliseconds', maximumInterval: '15 seconds' },
  });
  await answerTo({ activity: 'topology.openDue', cause: workflowInfo().workflowId }, (call) =>
    openDue(settings, call),
  );
};
