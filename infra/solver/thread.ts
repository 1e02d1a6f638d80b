import { parentPort } from 'node:worker_threads';
import { answer, type Question } from './question.ts';

/** A thread that answers one question after the other. */
parentPort?.on('message', (question: Question) => {
  parentPort?.postMessage(answer(question));
});
