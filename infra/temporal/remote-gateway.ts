import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import type { NodeGateway } from '../../domain/ports/node-gateway.ts';
import { isTransient } from './transient.ts';

/** On top of the node's own time: the way to the worker and back. */
const MARGIN_MS = 2000;

/**
 * Reaches nodes from a process without a mesh: the worker runs the activity `mesh.ask`. Asked once, for nobody knows
 * whether a silent node acted; a worker that is away counts as a node that is out of reach.
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
      client.activity.execute('mesh.ask', {
        id: `mesh-ask-${randomUUID()}`,
        args: [{ providerId, request, timeoutMs }],
        taskQueue,
        scheduleToCloseTimeout: limit,
        retry: { maximumAttempts: 1 },
      });
    try {
      const bounded = () => client.connection.withDeadline(Date.now() + limit + MARGIN_MS, ask);
      return await (signal ? client.connection.withAbortSignal(signal, bounded) : bounded());
    } catch (error) {
      if (isTransient(error) || isTimeout(error)) {
        return { type: 'unreachable', message: 'no worker reached the node in time' };
      }
      throw error;
    }
  },
});

/** The activity ran out of time: nobody took it, or the node did not answer. */
const isTimeout = (error: unknown): boolean => {
  for (let each = error; each instanceof Error; each = each.cause)
    if (each.name === 'TimeoutFailure') return true;
  return false;
};
