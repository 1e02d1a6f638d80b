import { inTurn } from '../../domain/queue/admission.ts';
import { epochMs } from '../../domain/time.ts';

interface Db {
  query<Row>(sql: string): Promise<{ readonly rows: readonly Row[] }>;
}

interface Line {
  readonly jobId: string;
  readonly submitter: string;
  readonly submittedAt: string;
  readonly isWaiting: boolean;
}

/** Places of the jobs that wait for room, by job: 1 for who is looked at first, as it stands now. */
export const queuePlaces = async (db: Db): Promise<ReadonlyMap<string, number>> => {
  const { rows } = await db.query<Line>(
    `select job as "jobId", submitter, submitted_at as "submittedAt", admitted_at is null as "isWaiting"
       from engine.queue`,
  );
  const waiting = rows.filter(({ isWaiting }) => isWaiting);
  const jobs = waiting.map(({ jobId, submitter, submittedAt }) => ({
    jobId,
    submitter,
    sinceMs: epochMs(submittedAt),
  }));
  const underWay = rows.filter(({ isWaiting }) => !isWaiting);
  return new Map(inTurn(jobs, underWay).map(({ jobId }, index) => [jobId, index + 1]));
};
