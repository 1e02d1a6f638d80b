import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';

const PAUSE_MS = 1000;
const ATTEMPTS = 180;

/** Repeats `connect` until the server behind it is up; the last failure is thrown after three minutes. */
export const withPatience = async <T>(log: Logger, server: string, connect: () => Promise<T>): Promise<T> => {
  for (let attempt = 1; ; attempt++) {
    try {
      return await connect();
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
      log.info({ attempt, reason: String(error) }, `waiting for ${server}`);
      await sleep(PAUSE_MS);
    }
  }
};
