import {
  type Client,
  ScheduleAlreadyRunning,
  type ScheduleOptions,
  ScheduleOverlapPolicy,
} from '@temporalio/client';
import { ForgedPayloadError } from './sealed-payloads.ts';
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
 * over the present settings; one that somebody else has made gives way to ours.
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
  const handle = client.schedule.getHandle(scheduleId);
  const create = () =>
    inTime(() => client.schedule.create({ scheduleId, ...options, state: { triggerImmediately: atOnce } }));
  const takeOver = async (): Promise<void> => {
    try {
      await inTime(() => handle.update((previous) => ({ ...options, state: previous.state })));
    } catch (error) {
      if (!(error instanceof ForgedPayloadError)) throw error;
      await inTime(() => handle.delete());
      await create();
      return;
    }
    if (atOnce) await inTime(() => handle.trigger(ScheduleOverlapPolicy.SKIP));
  };
  try {
    await create();
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    await takeOver();
  }
  return {
    trigger: async () => {
      try {
        await inTime(() => handle.trigger(ScheduleOverlapPolicy.SKIP));
      } catch (error) {
        // The schedule's own turn comes anyway.
        if (!isTransient(error)) throw error;
      }
    },
  };
};
