import { MalformedError } from '../der.ts';
import type { JsonObject } from './json.ts';
import { TCB_STATUSES, type TcbStatus, type TcbVerdict } from './tcb-status.ts';

/** One row of a TCB table: what must be reached, and what the platform is then. Tables go from new to old. */
export interface Level<T> extends TcbVerdict {
  readonly least: T;
}

const isStatus = (text: string): text is TcbStatus => (TCB_STATUSES as readonly string[]).includes(text);

/** Rows of the member `tcbLevels`. @throws MalformedError */
export const levelsOf = <T>(object: JsonObject, leastOf: (tcb: JsonObject) => T): Level<T>[] =>
  object.list('tcbLevels').map((level) => {
    const status = level.text('tcbStatus');
    if (!isStatus(status)) throw new MalformedError(`TCB status ${status} is unknown`);
    return { least: leastOf(level.object('tcb')), status, advisories: level.optionalTexts('advisoryIDs') };
  });

/** The first row that is reached; null when none is. */
export const levelReached = <T>(
  levels: readonly Level<T>[],
  reaches: (least: T) => boolean,
): Level<T> | null => levels.find(({ least }) => reaches(least)) ?? null;
