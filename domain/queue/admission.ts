import { MAX_OPEN_AUCTIONS } from '../auction/asking.ts';
import { couldHaveRoomFor, hasRoomFor, type NodeRoom, type Order } from './room.ts';

/** A job that waits for room. */
export interface WaitingJob {
  readonly jobId: string;
  readonly submitter: string;
  readonly order: Order;
  readonly auctionSeconds: number;
  /** When it was submitted, ms since 1970. */
  readonly sinceMs: number;
  /** Not to be looked at before, after an auction that failed. */
  readonly notBeforeMs: number;
}

/** A job that was admitted and is not over. */
export interface AdmittedJob {
  readonly jobId: string;
  readonly submitter: string;
  readonly order: Order;
  /** When its auction closes, ms since 1970, as long as nobody knows which nodes will have it; null once it has members. */
  readonly closesAtMs: number | null;
}

export interface Market {
  readonly nodes: readonly NodeRoom[];
  readonly admitted: readonly AdmittedJob[];
  /** Auctions that submitters have open without a job. */
  readonly ownAuctions: ReadonlyMap<string, number>;
  readonly nowMs: number;
}

/**
 * From this long a wait on, ms, nobody behind it passes who needs less: room is kept free until it is enough. A large job so gets
 * its turn, and many small ones cannot keep it from it. Room is kept for no longer than `KEEPING_MS`, and for nothing that the nodes
 * of now could not do if they were idle: one job must not stop all others.
 */
const PASSING_MS = 30_000;
const KEEPING_MS = 120_000;

const keepsRoom = ({ nodes, nowMs }: Market, { sinceMs, order }: WaitingJob): boolean => {
  const waitedMs = nowMs - sinceMs;
  if (waitedMs < PASSING_MS || waitedMs >= PASSING_MS + KEEPING_MS) return false;
  return couldHaveRoomFor(
    nodes.filter(({ isUp }) => isUp),
    order,
  );
};

const counted = (submitters: readonly string[]): Map<string, number> => {
  const counts = new Map<string, number>();
  for (const each of submitters) counts.set(each, (counts.get(each) ?? 0) + 1);
  return counts;
};

/**
 * The order in which waiting jobs get room: turn by turn among submitters, each with its oldest first. Who has more jobs under way
 * comes later, so that a thousand jobs of one take no turn of another's; among equals it is first come, first served.
 */
export const inTurn = <W extends Pick<WaitingJob, 'jobId' | 'submitter' | 'sinceMs'>>(
  waiting: readonly W[],
  underWay: readonly Pick<AdmittedJob, 'submitter'>[],
): W[] => {
  const before = (a: W, b: W): number => a.sinceMs - b.sinceMs || (a.jobId < b.jobId ? -1 : 1);
  const turns = counted(underWay.map(({ submitter }) => submitter));
  const withTurn = waiting.toSorted(before).map((job) => {
    const turn = turns.get(job.submitter) ?? 0;
    turns.set(job.submitter, turn + 1);
    return { job, turn };
  });
  return withTurn.toSorted((a, b) => a.turn - b.turn || before(a.job, b.job)).map(({ job }) => job);
};

/** Backoff of a job whose auction found too few bids, ms: 1 s, doubled with each attempt up to a minute. */
export const backoffMs = (attempt: number): number =>
  attempt < 2 ? 0 : Math.min(60_000, 500 * 2 ** (attempt - 1));

/** An auction that closes at most so much later may be extended, or late, and still take the room of one before it, ms. */
const CLOSE_MS = 10_000;

/** Whether all of `pending` that were sure of room, of each kind one, still are when `order` comes in between. */
const leavesRoom = (nodes: readonly NodeRoom[], pending: readonly Order[], order: Order): boolean => {
  const kinds = new Map(pending.map((each, index) => [JSON.stringify(each), index]));
  return [...kinds.values()].every((index) => {
    const others = pending.filter((_, each) => each !== index);
    const own = pending[index] as Order;
    return !hasRoomFor(nodes, others, own) || hasRoomFor(nodes, [...others, order], own);
  });
};

/**
 * The jobs that may open their auctions now. Each is held against the room that all auctions that may close before its own leave in the
 * worst case, so that those who were admitted before still find theirs. What closes later takes nothing from it: an auction that is
 * open for an hour keeps nobody waiting.
 */
export const admissible = <W extends WaitingJob>(market: Market, waiting: readonly W[]): W[] => {
  const { nodes, admitted, ownAuctions, nowMs } = market;
  const pending = admitted.flatMap(({ submitter, order, closesAtMs }) =>
    closesAtMs === null ? [] : [{ submitter, order, closesAtMs }],
  );
  const open = counted(pending.map(({ submitter }) => submitter));
  for (const [submitter, count] of ownAuctions) open.set(submitter, (open.get(submitter) ?? 0) + count);
  const chosen: W[] = [];
  for (const job of inTurn(waiting, admitted)) {
    const { submitter, order } = job;
    const own = open.get(submitter) ?? 0;
    if (job.notBeforeMs > nowMs || own >= MAX_OPEN_AUCTIONS) continue;
    const closesAtMs = nowMs + job.auctionSeconds * 1000;
    const before = pending
      .filter((each) => each.closesAtMs <= closesAtMs + CLOSE_MS && couldHaveRoomFor(nodes, each.order))
      .map((each) => each.order);
    // What no waiting helps, its auction tells at once.
    if (
      !couldHaveRoomFor(nodes, order) ||
      (hasRoomFor(nodes, before, order) && leavesRoom(nodes, before, order))
    ) {
      chosen.push(job);
      pending.push({ submitter, order, closesAtMs });
      open.set(submitter, own + 1);
    } else if (keepsRoom(market, job)) break;
  }
  return chosen;
};
