import { AsyncLocalStorage } from 'node:async_hooks';
import { Context } from '@temporalio/activity';

const ends = new AsyncLocalStorage<AbortSignal>();

/**
 * Runs `work` for at most `ms`, and ends then what it asks of others (`endOfWork`).
 * @throws Error when it has not answered by then.
 */
export const within = async <T>(ms: number, work: () => Promise<T>): Promise<T> => {
  const end = new AbortController();
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const error = new Error(`no answer within ${ms} ms`);
    end.abort(error);
    late.reject(error);
  }, ms);
  try {
    return await Promise.race([ends.run(end.signal, work), late.promise]);
  } finally {
    clearTimeout(timer);
  }
};

/** Aborts when nobody waits any more for what this activity does: it was cancelled, or its time to be prompt is over. */
export const endOfWork = (): AbortSignal => {
  const { cancellationSignal } = Context.current();
  const end = ends.getStore();
  return end ? AbortSignal.any([cancellationSignal, end]) : cancellationSignal;
};
