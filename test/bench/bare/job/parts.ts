import { defineSearchAttributeKey } from '@temporalio/common';
import {
  CancellationScope,
  condition,
  defineSignal,
  defineUpdate,
  getExternalWorkflowHandle,
  isCancellation,
  proxyActivities,
  proxyLocalActivities,
  setHandler,
  sleep,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';

/** What the bare worker does: nothing, but as often as the engine's does something. */
export interface BareActivities {
  /** Stands for an append: answers as one does. */
  append(workflow: string, revision: number): Promise<unknown>;
  /** Stands for an effect. Gets and gives what `body` is. */
  effect(name: string, body: string): Promise<string>;
  /** Sends the update `command` to these workflows. */
  tell(workflows: readonly string[], body: string): Promise<string>;
}

export const commandUpdate = defineUpdate<unknown, [string]>('command');
const reportSignal = defineSignal<[unknown]>('report');
const MACHINE_STATE = defineSearchAttributeKey('MachineState', 'KEYWORD');

const { append } = proxyLocalActivities<BareActivities>({ startToCloseTimeout: '15 seconds' });
export const { effect, tell } = proxyActivities<BareActivities>({ startToCloseTimeout: '1 minute' });

export const show = (state: string): void => upsertSearchAttributes([{ key: MACHINE_STATE, value: state }]);

/** One step of a lifecycle. */
export const step = (): Promise<unknown> => append(workflowInfo().workflowId, workflowInfo().historyLength);

export const report = (workflow: string, state: string): Promise<void> =>
  getExternalWorkflowHandle(workflow).signal(reportSignal, { stream: workflowInfo().workflowId, state });

/** Hears the reports of children: `heard(n)` resolves after the n-th. */
export const reports = () => {
  let count = 0;
  setHandler(reportSignal, () => {
    count += 1;
  });
  return { heard: (n: number) => condition(() => count >= n) };
};

/** Takes commands: they wait until they are answered. */
export const commands = () => {
  let waiting: (() => void)[] = [];
  setHandler(commandUpdate, async () => {
    await new Promise<void>((resolve) => waiting.push(resolve));
    const revision = String(workflowInfo().historyLength);
    return { ok: true, position: revision, revision, state: 'open' };
  });
  return {
    arrived: () => condition(() => waiting.length > 0),
    /** Takes those that wait; `answer` them after their step. */
    take: () => {
      const taken = waiting;
      waiting = [];
      return {
        count: taken.length,
        answer: (): void => {
          for (const resolve of taken) resolve();
        },
      };
    },
  };
};

/** A deadline that somebody may be earlier than. */
export const timer = (seconds: number) => {
  const scope = new CancellationScope();
  const fired = scope.run(() => sleep(seconds * 1000));
  fired.catch((error: unknown) => {
    if (!isCancellation(error)) throw error;
  });
  return { fired, cancel: () => scope.cancel() };
};
