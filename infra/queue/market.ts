import type { PoolClient } from 'pg';
import type { AdmittedJob, Market, WaitingJob } from '../../domain/queue/admission.ts';
import type { NodeRoom, Order } from '../../domain/queue/room.ts';
import { epochMs } from '../../domain/time.ts';

/** A node that is silent for longer is not there now, and one that was told lost for so long is not waited for. */
const SILENT = '15 seconds';
const GONE = '10 minutes';

/** Nodes that have ever joined, as the log and their newest word have them. */
const NODES = `
  select provider_id as "providerId", owner, tops, capacity as told,
         last_seen > now() - interval '${SILENT}' as "isUp"
    from fog.providers join engine.heartbeats using (provider_id)
   where state = 'listed'
     and (heartbeats.presence is distinct from 'lost' or last_seen > now() - interval '${GONE}')`;

/** Jobs under way, and those of the queue whatever the read model knows of them. */
const JOBS = `
  select coalesce(queue.job, jobs.job_id) as "jobId", coalesce(queue.submitter, jobs.submitter) as submitter,
         queue.needs, queue.auction_seconds as "auctionSeconds", queue.submitted_at as "submittedAt", queue.attempt,
         queue.not_before as "notBefore", queue.admitted_at as "admittedAt", queue.crowded,
         jobs.state, jobs.closes_at as "closesAt", jobs.members,
         jobs.tier, jobs.required_tops as "requiredTops", jobs.utilization,
         jobs.duration_seconds as "durationSeconds", jobs.memory_mb as "memoryMb"
    from engine.queue full join (
      select * from fog.jobs
       where state in ('queued', 'quoted', 'auctioning', 'forming', 'launching', 'running', 'proving', 'settling')
    ) jobs on jobs.job_id = queue.job`;

const OWN_AUCTIONS = `
  select submitter, count(*)::integer as count from fog.auctions
   where job_id is null and state in ('open', 'opening') group by submitter`;

interface JobLine {
  readonly jobId: string;
  readonly submitter: string;
  /** Null of a job that is not in the queue: its auction opened at once. */
  readonly needs: Order | null;
  readonly auctionSeconds: number;
  readonly submittedAt: string;
  readonly attempt: number;
  readonly notBefore: string;
  readonly admittedAt: string | null;
  readonly crowded: boolean;
  /** Null of a job that the read model does not show as under way. */
  readonly state: string | null;
  readonly closesAt: string | null;
  readonly members: readonly { readonly providerId: string; readonly proofId: string | null }[] | null;
}

export interface Queued extends WaitingJob {
  readonly attempt: number;
  /** Others were under way beside the attempt before. */
  readonly crowded: boolean;
}

/** A job that was let out, and whether its lifecycle is seen to know it. */
export interface LetOut {
  readonly jobId: string;
  readonly attempt: number;
  readonly admittedMs: number;
  readonly isHeard: boolean;
}

export interface QueueView {
  readonly market: Market;
  readonly waiting: readonly Queued[];
  readonly letOut: readonly LetOut[];
}

const orderOf = ({ tier, requiredTops, utilization, durationSeconds, memoryMb }: Order): Order => ({
  tier,
  requiredTops,
  utilization,
  durationSeconds,
  memoryMb,
});

const isWaiting = ({ needs, admittedAt }: JobLine): boolean => needs !== null && admittedAt === null;

/** When its auction closes, as far as that is known; null once it has members. */
const closeOf = (line: JobLine): number | null => {
  if ((line.members ?? []).length > 0) return null;
  if (line.admittedAt !== null) return epochMs(line.admittedAt) + line.auctionSeconds * 1000;
  return line.closesAt === null ? 0 : epochMs(line.closesAt);
};

/** The queue and all that has a part in the room there is, read under the queue's lock. */
export const readQueue = async (client: PoolClient, nowMs: number): Promise<QueueView> => {
  const { rows: lines } = await client.query<JobLine & Order>(JOBS);
  const { rows: nodes } = await client.query<Omit<NodeRoom, 'held'>>(NODES);
  const { rows: auctions } = await client.query<{ submitter: string; count: number }>(OWN_AUCTIONS);
  const underWay = lines.filter(
    ({ needs, admittedAt, state }) => admittedAt !== null || (needs === null && state !== 'queued'),
  );
  const heldOn = (providerId: string): Order[] =>
    underWay.flatMap((line) =>
      (line.members ?? [])
        .filter((member) => member.providerId === providerId && member.proofId === null)
        .map(() => line.needs ?? orderOf(line)),
    );
  const admitted = underWay.map(
    (line): AdmittedJob => ({
      jobId: line.jobId,
      submitter: line.submitter,
      order: line.needs ?? orderOf(line),
      closesAtMs: closeOf(line),
    }),
  );
  return {
    market: {
      nodes: nodes.map((node) => ({ ...node, held: heldOn(node.providerId) })),
      admitted,
      ownAuctions: new Map(auctions.map(({ submitter, count }) => [submitter, count])),
      nowMs,
    },
    waiting: lines.filter(isWaiting).map((line) => ({
      jobId: line.jobId,
      submitter: line.submitter,
      order: line.needs ?? orderOf(line),
      auctionSeconds: line.auctionSeconds,
      sinceMs: epochMs(line.submittedAt),
      notBeforeMs: epochMs(line.notBefore),
      attempt: line.attempt,
      crowded: line.crowded,
    })),
    letOut: lines.flatMap(({ needs, admittedAt, jobId, attempt, state }) =>
      needs === null || admittedAt === null
        ? []
        : [{ jobId, attempt, admittedMs: epochMs(admittedAt), isHeard: state !== 'queued' }],
    ),
  };
};
