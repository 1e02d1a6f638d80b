import { parentPort } from 'node:worker_threads';
import { type Question, verdictOn } from './question.ts';

/** A thread that verifies one proof after the other, each in answer to a message. */
parentPort?.on('message', (question: Question) => {
  void verdictOn(question).then((verdict) => parentPort?.postMessage(verdict));
});
