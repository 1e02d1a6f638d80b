import { proxyActivities, workflowInfo } from '@temporalio/workflow';
import type { NodeAnswer, NodeQuestion } from '../activities/mesh.ts';
import { type Call, isForged } from '../domain/ports/seals.ts';
import { answerTo, refuseForged } from './calls.ts';

/** The way to the node and back, on top of the node's own time, ms. */
const MARGIN_MS = 1000;

/**
 * One question to one node, for a process without a mesh. It is no lifecycle: nothing of it enters the log, and whoever
 * asked acts on the answer. Asked once, for nobody knows whether a silent node acted.
 */
export const askNode = async (question: NodeQuestion): Promise<NodeAnswer> => {
  refuseForged(question !== undefined && !isForged(question), 'a question to a node');
  const { 'mesh.ask': ask } = proxyActivities<{
    'mesh.ask': (question: NodeQuestion, call: Call) => Promise<unknown>;
  }>({
    startToCloseTimeout: question.timeoutMs + MARGIN_MS,
    retry: { maximumAttempts: 1 },
  });
  return answerTo<NodeAnswer>({ activity: 'mesh.ask', cause: workflowInfo().workflowId }, (call) =>
    ask(question, call),
  );
};
