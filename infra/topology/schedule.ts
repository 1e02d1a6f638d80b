import type { Client } from '@temporalio/client';
import type { TopologySettings } from '../../domain/topology/epoch.ts';
import { type KeptSchedule, keepSchedule } from '../temporal/keep-schedule.ts';

/** Opens epochs at their turn: `trigger` has the engine look now which are due. */
export const keepTopologySchedule = (
  client: Client,
  taskQueue: string,
  { network, epochSeconds }: TopologySettings,
): Promise<KeptSchedule> =>
  keepSchedule(client, {
    scheduleId: `topology-epochs-${network}`,
    everySeconds: epochSeconds,
    workflowType: 'openEpochs',
    workflowId: `open-epochs-${network}`,
    args: [{ network, epochSeconds }],
    taskQueue,
    catchupWindow: '1 minute',
    atOnce: true,
  });
