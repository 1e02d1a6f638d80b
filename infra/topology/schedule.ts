import {
  type Client,
  ScheduleAlreadyRunning,
  type ScheduleOptions,
  ScheduleOverlapPolicy,
} from '@temporalio/client';
import type { TopologySettings } from '../../domain/topology/epoch.ts';
import { isTransient } from '../temporal/transient.ts';

export interface TopologySchedule {
  /** Has the engine look now which epochs are due. */
  trigger(): Promise<void>;
}

/**
 * Opens epochs at their turn, whichever worker runs: Temporal starts `openEpochs` at the beginning of every epoch. A
 * schedule that stands from an earlier start takes over the present settings.
 */
export const keepTopologySchedule = async (
  client: Client,
  taskQueue: string,
  { network, epochSeconds }: TopologySettings,
): Promise<TopologySchedule> => {
  const scheduleId = `topology-epochs-${network}`;
  const options = {
    spec: { intervals: [{ every: epochSeconds * 1000 }] },
    action: {
      type: 'startWorkflow',
      workflowType: 'openEpochs',
      workflowId: `open-epochs-${network}`,
      args: [{ network, epochSeconds }],
      taskQueue,
    },
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '1 minute' },
  } satisfies Omit<ScheduleOptions, 'scheduleId'>;
  try {
    await client.schedule.create({
      scheduleId,
      ...options,
      state: { triggerImmediately: true },
    });
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    const handle = client.schedule.getHandle(scheduleId);
    await handle.update((previous) => ({ ...options, state: previous.state }));
    await handle.trigger(ScheduleOverlapPolicy.SKIP);
  }
  return {
    trigger: async () => {
      try {
        await client.schedule.getHandle(scheduleId).trigger(ScheduleOverlapPolicy.SKIP);
      } catch (error) {
        // The schedule's own turn comes anyway.
        if (!isTransient(error)) throw error;
      }
    },
  };
};
