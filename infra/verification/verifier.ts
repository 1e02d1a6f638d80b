import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { ok, type Result, reject } from '../../domain/errors.ts';
import { createWaitingPlaces } from '../rate-limits/waiting-places.ts';
import { memoryWindows, type WeighedWindows } from '../rate-limits/windows.ts';
import { costOf, type Question, type Verdicts } from './question.ts';

/** Verifies proofs of strangers: in a thread of its own, so many at once, so much a minute for each principal. */
export interface Verifier {
  verify<Q extends Question>(principal: string, question: Q): Promise<Result<Verdicts[Q['kind']]>>;
  close(): Promise<void>;
}

export interface VerifierOptions {
  readonly windows?: WeighedWindows;
  /** Signatures that are checked for one principal within a minute; one takes about 2 ms of a processor. */
  readonly budget?: number;
  readonly program?: URL;
}

/** One proof at a time; so many wait their turn, and so many are of each principal. */
const PROOFS = { total: 1, waiting: 15, each: 8 };
const BUDGET = 6_000;
/** Signatures of one proof; the largest proof of availability that the shape allows has 513. */
const MOST_SIGNATURES = 520;
/** Reports of one proof of SLA compliance: seven observers, each with several. */
const MOST_REPORTS = 64;
const MOST_MS = 30_000;
const LIMITS = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 2 };

export const createVerifier = ({
  windows = memoryWindows(),
  budget = BUDGET,
  program = new URL('./thread.ts', import.meta.url),
}: VerifierOptions = {}): Verifier => {
  const turns = createWaitingPlaces({ ...PROOFS, patienceMs: MOST_MS });
  let thread: Worker | null = null;

  const start = (): Worker => {
    const started = new Worker(program, { resourceLimits: LIMITS });
    started.unref();
    // Whoever waits for an answer meets the same error.
    started.on('error', () => undefined);
    started.once('exit', () => {
      if (thread === started) thread = null;
    });
    return started;
  };

  const ask = async (question: Question): Promise<unknown> => {
    thread ??= start();
    const asked = thread;
    const answered = new AbortController();
    const signal = AbortSignal.any([AbortSignal.timeout(MOST_MS), answered.signal]);
    const message = once(asked, 'message', { signal });
    const exited = once(asked, 'exit', { signal }).then(() => {
      throw new Error('the thread that verifies proofs ended');
    });
    // Only one of them is waited for to its end.
    for (const each of [message, exited]) each.catch(() => undefined);
    try {
      asked.postMessage(question);
      const [verdict] = await Promise.race([message, exited]);
      return verdict;
    } catch (error) {
      await asked.terminate();
      throw error;
    } finally {
      answered.abort();
    }
  };

  const tooLarge = (question: Question): Result<null> => {
    const most = question.kind === 'sla' ? MOST_REPORTS + 1 : MOST_SIGNATURES;
    if (costOf(question) <= most) return ok(null);
    const field = question.kind === 'sla' ? 'proof.reports' : 'proof.rounds';
    const rule =
      question.kind === 'sla' ? `at most ${MOST_REPORTS} reports` : `at most ${MOST_SIGNATURES} signatures`;
    return reject('INVALID_REQUEST', `${field}: ${rule}`, [{ field, rule }]);
  };

  return {
    verify: async <Q extends Question>(principal: string, question: Q) => {
      const refused = tooLarge(question);
      if (!refused.ok) return refused;
      const leave = await turns.take(principal);
      if (leave === 'own')
        return reject('RATE_LIMIT_EXCEEDED', 'too many proofs of yours at once; see Retry-After');
      if (leave === 'all') return reject('RESOURCE_UNAVAILABLE', 'too many proofs at once; see Retry-After');
      try {
        const { admitted } = await windows.spend(`verify ${principal}`, budget, costOf(question));
        if (!admitted)
          return reject(
            'RATE_LIMIT_EXCEEDED',
            `at most ${budget} signatures a minute are verified for each principal`,
          );
        return ok((await ask(question)) as Verdicts[Q['kind']]);
      } finally {
        leave();
      }
    },
    close: async () => {
      await thread?.terminate();
    },
  };
};
