import { proxyActivities } from '@temporalio/workflow';
import type { MeshActivities, NodeAnswer, NodeQuestion } from '../activities/mesh.ts';

/** The way to the node and back, on top of the node's own time, ms. */
const MARGIN_MS = 1000;

/**
 * One question to one node, for a process without a mesh. It is no lifecycle: nothing of it enters the log, and whoever
 * asked acts on the answer. Asked once, for nobody knows whether a silent node acted.
 */
export const askNode = (question: NodeQuestion): Promise<NodeAnswer> => {
  const { 'mesh.ask': ask } = proxyActivities<MeshActivities>({
    startToCloseTimeout: question.timeoutMs + MARGIN_MS,
    retry: { maximumAttempts: 1 },
  });
  return ask(question);
};
