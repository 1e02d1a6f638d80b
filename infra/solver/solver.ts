import { createHash } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Solver } from '../../domain/ports/solver.ts';
import { type Answer, answer, choicesOf, type Question } from './question.ts';

export interface SolverOptions {
  /** Threads at most; they start when they are needed. */
  readonly threads?: number;
  /** Questions that may wait for a thread; one more is refused. */
  readonly waiting?: number;
  /** What a thread runs. */
  readonly program?: URL;
}

export interface SolverPool extends Solver {
  load(): { readonly threads: number; readonly waiting: number };
  /** Questions under way fail. */
  close(): Promise<void>;
}

/** Every thread has work and the queue is full: who asks tries again later. */
export class SolverBusy extends Error {
  override readonly name = 'SolverBusy';
}

/**
 * Questions with fewer choices are answered at once, in about a millisecond: a thread would cost more than it spares.
 * They are auctions of up to 24 bids for platinum, 67 for gold, 316 for silver.
 */
const FEW_CHOICES = 50_000;
/** Far above what a thousand bids need (about 40 MB); a thread that takes more dies alone. */
const MOST_MEGABYTES = 256;

interface Waiting {
  readonly question: Question;
  resolve(answer: Answer): void;
  reject(error: unknown): void;
}

/**
 * A few threads for the hard questions, so that the event loop of who asks goes on. What a question costs is bounded by
 * its steps (`SOLVE_STEPS`), how many wait by the queue. The same question asked again while it is under way is answered
 * once.
 */
export const createSolver = ({
  threads: most = Math.max(1, Math.min(2, availableParallelism() - 1)),
  waiting: room = 32,
  program = new URL('./thread.ts', import.meta.url),
}: SolverOptions = {}): SolverPool => {
  const idle: Worker[] = [];
  const busy = new Map<Worker, Waiting>();
  const queue: Waiting[] = [];
  const underWay = new Map<string, Promise<Answer>>();

  const finished = (thread: Worker): Waiting | undefined => {
    const work = busy.get(thread);
    busy.delete(thread);
    return work;
  };
  const lost = (thread: Worker, error: Error): void => {
    const at = idle.indexOf(thread);
    if (at >= 0) idle.splice(at, 1);
    finished(thread)?.reject(error);
    next();
  };
  const start = (): Worker => {
    const thread = new Worker(program, { resourceLimits: { maxOldGenerationSizeMb: MOST_MEGABYTES } });
    thread.unref();
    thread.on('message', (reply: Answer) => {
      const work = finished(thread);
      idle.push(thread);
      work?.resolve(reply);
      next();
    });
    thread.on('error', (error) => lost(thread, error instanceof Error ? error : new Error(String(error))));
    thread.on('exit', (code) => lost(thread, new Error(`a solver thread ended with code ${code}`)));
    return thread;
  };
  const next = (): void => {
    while (queue.length > 0) {
      const thread = idle.pop() ?? (busy.size < most ? start() : undefined);
      const work = thread && queue.shift();
      if (!thread || !work) return;
      busy.set(thread, work);
      thread.postMessage(work.question);
    }
  };
  const enqueue = (question: Question): Promise<Answer> => {
    if (queue.length >= room) throw new SolverBusy(`${queue.length} questions wait for a solver thread`);
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    queue.push({ question, resolve, reject });
    next();
    return promise;
  };
  const ask = async (question: Question): Promise<Answer> => {
    if (choicesOf(question) < FEW_CHOICES) return answer(question);
    const key = createHash('sha256').update(JSON.stringify(question)).digest('hex');
    const known = underWay.get(key);
    if (known) return known;
    const promise = enqueue(question);
    underWay.set(key, promise);
    const forget = (): void => void underWay.delete(key);
    promise.then(forget, forget);
    return promise;
  };

  return {
    award: (input) => ask({ kind: 'award', input }) as ReturnType<Solver['award']>,
    replaceMember: (input) => ask({ kind: 'replaceMember', input }) as ReturnType<Solver['replaceMember']>,
    load: () => ({ threads: busy.size + idle.length, waiting: queue.length }),
    async close() {
      const closed = new Error('the solver is closed');
      for (const { reject } of queue.splice(0)) reject(closed);
      await Promise.all([...busy.keys(), ...idle].map((thread) => thread.terminate()));
    },
  };
};
