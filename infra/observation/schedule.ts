import type { Client } from '@temporalio/client';
import type { ObservationSettings } from '../../domain/observation/window.ts';
import { type KeptSchedule, keepSchedule } from '../temporal/keep-schedule.ts';

/** Has nodes observe each other at the beginning of every round. A round that is late is not made up for. */
export const keepObservationSchedule = (
  client: Client,
  taskQueue: string,
  settings: ObservationSettings,
): Promise<KeptSchedule> =>
  keepSchedule(client, {
    scheduleId: `observation-rounds-${settings.network}`,
    everySeconds: settings.roundSeconds,
    workflowType: 'observeRound',
    workflowId: `observe-round-${settings.network}`,
    args: [settings],
    taskQueue,
    catchupWindow: '10 seconds',
    atOnce: false,
  });
