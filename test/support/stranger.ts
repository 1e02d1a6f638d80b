import { randomBytes } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { defaultPayloadConverter, type Payload, type ProtoFailure } from '@temporalio/common';
import { temporalAddress } from './temporal.ts';

const NAMESPACE = 'default';
/** Longest wait for a task, ms. */
const PATIENCE_MS = 20_000;
const COMPLETED = 3;
const SCHEDULE_ACTIVITY = 1;

/** What a caller of `command` has said, as it stands in the history that anybody can read. */
export type Said = Payload[];

/** Whoever reaches Temporal's port, and has no key. */
export interface Stranger {
  readonly client: Client;
  /** The arguments of all commands that a workflow has accepted, as they came. */
  overheard(workflowId: string): Promise<Said[]>;
  /** The arguments of all signals of a name that a workflow was sent, as they came. */
  overheardSignals(workflowId: string, signal: string): Promise<Said[]>;
  /** Sends a signal with these arguments as they are. */
  signal(workflowId: string, signal: string, said: Said): Promise<void>;
  /** Sends arguments as they are. @returns the failure, or null when the command was obeyed. */
  say(workflowId: string, updateId: string, said: Said): Promise<ProtoFailure | null>;
  /** Has the workers of a queue do an activity, for a workflow of its own. @returns its failure, or null when it is done. */
  haveDone(activity: string, taskQueue: string, args: readonly unknown[]): Promise<ProtoFailure | null>;
  close(): Promise<void>;
}

export const arriveAtTemporal = async (): Promise<Stranger> => {
  const connection = await Connection.connect({ address: await temporalAddress() });
  const client = new Client({ connection });
  return {
    client,
    overheard: async (workflowId) => {
      const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
      return (events ?? []).flatMap(({ workflowExecutionUpdateAcceptedEventAttributes: accepted }) =>
        accepted ? [accepted.acceptedRequest?.input?.args?.payloads ?? []] : [],
      );
    },
    overheardSignals: async (workflowId, signal) => {
      const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
      return (events ?? []).flatMap(({ workflowExecutionSignaledEventAttributes: signaled }) =>
        signaled?.signalName === signal ? [signaled.input?.payloads ?? []] : [],
      );
    },
    signal: async (workflowId, signalName, said) => {
      await connection.workflowService.signalWorkflowExecution({
        namespace: NAMESPACE,
        workflowExecution: { workflowId },
        signalName,
        input: { payloads: said },
        identity: 'a stranger',
      });
    },
    say: async (workflowId, updateId, said) => {
      const { outcome } = await connection.workflowService.updateWorkflowExecution({
        namespace: NAMESPACE,
        workflowExecution: { workflowId },
        waitPolicy: { lifecycleStage: COMPLETED },
        request: {
          meta: { updateId, identity: 'a stranger' },
          input: { name: 'command', args: { payloads: said } },
        },
      });
      return outcome?.failure ?? null;
    },
    haveDone: async (activity, taskQueue, args) => {
      const id = `stranger-${randomBytes(8).toString('hex')}`;
      const { workflowService } = connection;
      const queue = { taskQueue: { name: id }, namespace: NAMESPACE, identity: 'a stranger' };
      const { firstExecutionRunId } = await client.workflow.start('theirs', {
        workflowId: id,
        taskQueue: id,
      });
      const poll = () =>
        connection.withDeadline(Date.now() + PATIENCE_MS, () => workflowService.pollWorkflowTaskQueue(queue));
      const { taskToken } = await poll();
      const payloads = args.map((each) => defaultPayloadConverter.toPayload(each) ?? {});
      await workflowService.respondWorkflowTaskCompleted({
        namespace: NAMESPACE,
        identity: 'a stranger',
        taskToken,
        commands: [
          {
            commandType: SCHEDULE_ACTIVITY,
            scheduleActivityTaskCommandAttributes: {
              activityId: '1',
              activityType: { name: activity },
              taskQueue: { name: taskQueue },
              input: { payloads },
              startToCloseTimeout: { seconds: 10 as never },
              scheduleToCloseTimeout: { seconds: 20 as never },
              retryPolicy: { maximumAttempts: 1 },
            },
          },
        ],
      });
      // It is told of the end in its next task.
      const { history } = await poll();
      await client.workflow.getHandle(id, firstExecutionRunId).terminate();
      const failed = history?.events?.find(({ activityTaskFailedEventAttributes: each }) => each);
      return failed?.activityTaskFailedEventAttributes?.failure ?? null;
    },
    close: () => connection.close(),
  };
};
