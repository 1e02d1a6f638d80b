/** Writes that a request could not make and that are made up for as soon as they can be. */
export interface Owed {
  /** Makes `write` now, or else again and again; what is owed under `id` already comes first. Never rejects. */
  pay(id: string, write: () => Promise<void>): Promise<void>;
  /** Resolves once nothing is owed under `id`. @throws what keeps it from being written. */
  settle(id: string): Promise<void>;
  /** Gives up what is still owed. */
  close(): void;
}

const RETRY_MS = 500;

export const createOwed = (onError: (error: Error) => void): Owed => {
  const debts = new Map<string, () => Promise<void>>();
  let timer: NodeJS.Timeout | null = null;
  let isClosed = false;

  /** One attempt at a time, whoever asks for it. */
  const once = (id: string, write: () => Promise<void>): (() => Promise<void>) => {
    let attempt: Promise<void> | null = null;
    const debt = (): Promise<void> => {
      attempt ??= write().then(
        () => {
          if (debts.get(id) === debt) debts.delete(id);
        },
        (error: unknown) => {
          attempt = null;
          throw error;
        },
      );
      return attempt;
    };
    return debt;
  };

  /** What fails again was reported when it failed first. */
  const retryAll = async (): Promise<void> => {
    await Promise.allSettled([...debts.values()].map((debt) => debt()));
    timer = null;
    retryLater();
  };

  const retryLater = (): void => {
    if (isClosed || timer !== null || debts.size === 0) return;
    timer = setTimeout(() => void retryAll(), RETRY_MS);
    timer.unref();
  };

  return {
    pay: async (id, write) => {
      const before = debts.get(id);
      const debt = once(id, async () => {
        await before?.();
        await write();
      });
      debts.set(id, debt);
      try {
        await debt();
      } catch (error) {
        onError(error as Error);
        retryLater();
      }
    },
    settle: async (id) => debts.get(id)?.(),
    close: () => {
      isClosed = true;
      if (timer !== null) clearTimeout(timer);
      debts.clear();
    },
  };
};
