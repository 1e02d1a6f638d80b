import { type Rejection, reject } from '../../domain/errors.ts';

/** Answers repeated requests like the first. */
export interface Once<T> {
  /**
   * The reply to `request` under `key`: the first call computes it, the same request joins or repeats it, another
   * request under the key is a CONFLICT. A refusal is forgotten, so that the next call tries again.
   */
  answer(key: string, request: string, compute: () => Promise<T | Rejection>): Promise<T | Rejection>;
  /** Waits for a reply that is being computed; never rejects, for the asker of that reply sees it fail. */
  settled(key: string): Promise<void>;
  forget(key: string): void;
}

const isRefusal = (reply: unknown): reply is Rejection =>
  typeof reply === 'object' && reply !== null && 'ok' in reply && reply.ok === false;

export const createOnce = <T>(): Once<T> => {
  const answers = new Map<string, { readonly request: string; readonly reply: Promise<T | Rejection> }>();
  return {
    answer(key, request, compute) {
      const known = answers.get(key);
      if (known) {
        if (known.request === request) return known.reply;
        return Promise.resolve(reject('CONFLICT', 'this id was used for another request'));
      }
      const entry = { request, reply: compute() };
      answers.set(key, entry);
      const forgetRefusal = (): void => {
        if (answers.get(key) === entry) answers.delete(key);
      };
      entry.reply.then((reply) => isRefusal(reply) && forgetRefusal(), forgetRefusal);
      return entry.reply;
    },
    async settled(key) {
      await answers.get(key)?.reply.catch(() => undefined);
    },
    forget: (key) => void answers.delete(key),
  };
};
