import { proxyActivities, workflowInfo } from '@temporalio/workflow';
import type { ObservationSettings } from '../domain/observation/window.ts';
import { type Call, isForged } from '../domain/ports/seals.ts';
import { answerTo, refuseForged } from './calls.ts';

/** Started by the schedule at the beginning of every round; what has not come of it by the end of the round never will. */
export const observeRound = async (settings: ObservationSettings): Promise<void> => {
  refuseForged(settings !== undefined && !isForged(settings), 'how a round is observed');
  const { 'observation.turn': turn } = proxyActivities<{
    'observation.turn': (settings: ObservationSettings, call: Call) => Promise<unknown>;
  }>({
    scheduleToCloseTimeout: settings.roundSeconds * 1000,
    heartbeatTimeout: '1 minute',
    retry: { initialInterval: '500 milliseconds', maximumInterval: '5 seconds' },
  });
  await answerTo({ activity: 'observation.turn', cause: workflowInfo().workflowId }, (call) =>
    turn(settings, call),
  );
};
