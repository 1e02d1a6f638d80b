import { type Client, WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from '@temporalio/client';
import { type ChildOpening, HOST_VERSION, type Lifecycles } from '../../domain/ports/lifecycles.ts';

export interface MessagesOptions {
  readonly client: Client;
  readonly taskQueue: string;
  /** Longest wait for Temporal to take one, ms. */
  readonly timeoutMs: number;
}

/**
 * What lifecycles say to each other without waiting for an answer. It is Temporal's as soon as it was said; what could not
 * be said throws, and may be said again.
 */
export const createMessages = ({
  client,
  taskQueue,
  timeoutMs,
}: MessagesOptions): Pick<Lifecycles, 'tell' | 'send'> => {
  const inTime = <T>(call: () => Promise<T>): Promise<T> =>
    client.connection.withDeadline(Date.now() + timeoutMs, call);

  const signal = async (stream: string, name: string, args: readonly unknown[]): Promise<void> => {
    try {
      await inTime(() => client.workflow.getHandle(stream).signal(name, ...args));
    } catch (error) {
      // It has ended: nobody is left to hear.
      if (!(error instanceof WorkflowNotFoundError)) throw error;
    }
  };

  const start = async ({
    aggregate,
    stream,
    version,
    parent,
    command,
    meta,
  }: ChildOpening): Promise<void> => {
    const input = {
      stream,
      version,
      parent,
      sealed: true,
      host: HOST_VERSION,
      open: { command, meta },
    };
    try {
      await inTime(() =>
        client.workflow.start(aggregate, {
          workflowId: stream,
          args: [input],
          taskQueue,
          workflowIdReusePolicy: 'ALLOW_DUPLICATE_FAILED_ONLY',
          // No child of Temporal's: its start and its end would cost the parent a task each.
          memo: { parent },
        }),
      );
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    }
  };

  return {
    tell: (stream, command, meta) => signal(stream, 'tell', [command, meta, 'told']),
    send: async ({ report, children }) => {
      await Promise.all([
        ...(report ? [signal(report.to, 'report', [report.report])] : []),
        ...children.map(start),
      ]);
    },
  };
};
