import { proxyActivities } from '@temporalio/workflow';
import type { ObservationActivities } from '../activities/observation.ts';
import type { ObservationSettings } from '../domain/observation/window.ts';

/** Started by the schedule at the beginning of every round; what has not come of it by the end of the round never will. */
export const observeRound = (settings: ObservationSettings): Promise<void> => {
  const { 'observation.turn': turn } = proxyActivities<ObservationActivities>({
    scheduleToCloseTimeout: settings.roundSeconds * 1000,
    heartbeatTimeout: '1 minute',
    retry: { initialInterval: '500 milliseconds', maximumInterval: '5 seconds' },
  });
  return turn(settings);
};
