import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import type { NodeGateway } from '../../domain/ports/node-gateway.ts';
import { isTransient } from './transient.ts';

/** The way to the worker and back, on top of the node's own time. */
const MARGIN_MS = 3000;

/** Nobody took the question, or the node did not answer in time. */
const isTimeout = (error: unknown): boolean => {
  for (let each = error; each instanceof Error; each = each.cause) {
    if (each.name === 'TimeoutFailure') return true;
  }
  return false;
};

/**
 * Reaches nodes from a process without a mesh: the workflow `askNode` has any worker ask, over its own connection to the
 * node or through the worker that holds one. Where no worker answers, the node is out of reach through no fault of its own.
 */
export const createRemoteGateway = ({
  client,
  taskQueue,
}: {
  readonly client: Client;
  readonly taskQueue: string;
}): Pick<NodeGateway, 'request'> => ({
  request: async (providerId, request, { timeoutMs, signal }) => {
    const limit = timeoutMs + MARGIN_MS;
    const ask = () =>
      client.workflow.execute('askNode', {
        workflowId: `ask-node-${randomUUID()}`,
        args: [{ providerId, request, timeoutMs }],
        taskQueue,
        workflowExecutionTimeout: limit,
      });
    const bounded = () => client.connection.withDeadline(Date.now() + limit + MARGIN_MS, ask);
    try {
      return await (signal ? client.connection.withAbortSignal(signal, bounded) : bounded());
    } catch (error) {
      if (isTransient(error) || isTimeout(error)) {
        return { type: 'unreachable', message: 'no worker reached the node in time', cause: 'engine' };
      }
      throw error;
    }
  },
});
