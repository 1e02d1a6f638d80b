import type { Logger } from 'pino';
import { type OnForged, placeOf } from '../../temporal/sealed-payloads.ts';

/** Lines within a minute: enough to see who is meant, too few for a stranger to fill a disk. */
const LINES = 20;
const MINUTE_MS = 60_000;

/** Logs what came without a true seal, so many lines a minute; the next line says how many were left out. */
export const forgeryLog = (log: Pick<Logger, 'warn'>, nowMs = () => performance.now()): OnForged => {
  let since = Number.NEGATIVE_INFINITY;
  let lines = 0;
  let unsaid = 0;
  return (context) => {
    if (nowMs() - since >= MINUTE_MS) [since, lines] = [nowMs(), 0];
    lines += 1;
    if (lines > LINES) {
      unsaid += 1;
      return;
    }
    log.warn(
      { place: placeOf(context), ...(unsaid > 0 && { unsaid }) },
      'a payload came through Temporal without a true seal',
    );
    unsaid = 0;
  };
};
