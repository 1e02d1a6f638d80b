import { DatabaseError, type QueryResult, type QueryResultRow } from 'pg';
import type { Session } from './projection.ts';

/** A statement that the server plans once per session. */
export interface Prepared {
  readonly name: string;
  readonly text: string;
}

/** FEATURE_NOT_SUPPORTED, which is what “cached plan must not change result type” comes as. */
const CANNOT = '0A000';

/**
 * Reads from a view of a read model. A new version that was swapped in may show a column in another type: the session that
 * prepared the statement over the old one cannot run it any more, so it is asked without a plan of its own.
 */
export const ask = async <Row extends QueryResultRow>(
  db: Session,
  statement: Prepared,
  values: readonly unknown[],
): Promise<QueryResult<Row>> => {
  try {
    return await db.query<Row>({ ...statement, values: [...values] });
  } catch (error) {
    if (!(error instanceof DatabaseError) || error.code !== CANNOT) throw error;
    return db.query<Row>(statement.text, [...values]);
  }
};
