import {
  type Client,
  ScheduleAlreadyRunning,
  type ScheduleOptions,
  ScheduleOverlapPolicy,
} from '@temporalio/client';
import { isTransient } from './transient.ts';

export interface ScheduledWorkflow {
  readonly scheduleId: string;
  /** Started at every multiple of this since 1970, unless the run before is not over. */
  readonly everySeconds: number;
  readonly workflowType: string;
  readonly workflowId: string;
  readonly args: unknown[];
  readonly taskQueue: string;
  /** How late a run may still start, at least ten seconds (Temporal's own bound). */
  readonly catchupWindow: '10 seconds' | '1 minute';
  /** Whether the first run is at once. */
  readonly atOnce: boolean;
}

export interface KeptSchedule {
  /** Starts a run now, unless one is under way. */
  trigger(): Promise<void>;
}

/** Longest wait for an answer, ms. */
const ANSWER_MS = 10_000;

/**
 * Has Temporal start a workflow again and again, whichever worker runs. A schedule that stands from an earlier start takes
 * over the present settings.
 */
export const keepSchedule = async (client: Client, scheduled: ScheduledWorkflow): Promise<KeptSchedule> => {
  const { scheduleId, everySeconds, workflowType, workflowId, args, taskQueue, catchupWindow, atOnce } =
    scheduled;
  const options = {
    spec: { intervals: [{ every: everySeconds * 1000 }] },
    action: { type: 'startWorkflow', workflowType, workflowId, args, taskQueue },
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow },
  } satisfies Omit<ScheduleOptions, 'scheduleId'>;
  const inTime = <T>(call: () => Promise<T>): Promise<T> =>
    client.connection.withDeadline(Date.now() + ANSWER_MS, call);
  try {
    await inTime(() =>
      client.schedule.create({ scheduleId, ...options, state: { triggerImmediately: atOnce } }),
    );
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    const handle = client.schedule.getHandle(scheduleId);
    await inTime(() => handle.update((previous) => ({ ...options, state: previous.state })));
    if (atOnce) await inTime(() => handle.trigger(ScheduleOverlapPolicy.SKIP));
  }
  return {
    trigger: async () => {
      try {
        await inTime(() => client.schedule.getHandle(scheduleId).trigger(ScheduleOverlapPolicy.SKIP));
      } catch (error) {
        // The schedule's own turn comes anyway.
        if (!isTransient(error)) throw error;
      }
    },
  };
};
