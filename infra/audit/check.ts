import type { Pool } from 'pg';
import { type Micro, toMicro, units } from '../../domain/money.ts';
import { checkLiveState, type LiveStateDeps } from './live-state.ts';
import { pinLog, readStreamEnds, type StreamEnd } from './log.ts';
import type { AuditReport, Problem } from './report.ts';
import { startAfter } from './start.ts';
import { walkLog } from './walk.ts';

/** A read model as the audit sees it: something that can be rebuilt and compared with what readers see. */
export interface AuditedReadModel {
  readonly name: string;
  compare(): Promise<readonly { readonly table: string; readonly problem: string }[]>;
}

export interface AuditDeps extends LiveStateDeps {
  readonly pool: Pool;
  readonly readModels: readonly AuditedReadModel[];
  /** Σ of all balances that readers see. */
  readonly ledgerTotal: () => Promise<Micro>;
  /** A signed head of the log that was checked before: only what came after it is read and compared. */
  readonly after?: string | undefined;
}

/** Streams compared at the same time. */
const CONCURRENCY = 8;

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** A check that cannot be carried out has not passed. */
const attempt = async (work: () => Promise<readonly string[]>): Promise<readonly string[]> => {
  try {
    return await work();
  } catch (error) {
    return [reasonOf(error)];
  }
};

const checkStreams = async (
  deps: LiveStateDeps,
  streams: AsyncGenerator<StreamEnd>,
): Promise<{ readonly count: number; readonly problems: Problem[] }> => {
  const problems: Problem[] = [];
  let count = 0;
  const worker = async (): Promise<void> => {
    for await (const { stream, revision } of streams) {
      count++;
      for (const difference of await attempt(() => checkLiveState(deps, stream, revision))) {
        problems.push({ check: 'replay', subject: stream, difference });
      }
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
  return { count, problems: problems.sort((a, b) => (a.subject < b.subject ? -1 : 1)) };
};

const checkReadModel = async ({ name, compare }: AuditedReadModel): Promise<Problem[]> => {
  try {
    return (await compare()).map(({ table, problem }) => ({
      check: 'projection',
      subject: table,
      difference: problem,
    }));
  } catch (error) {
    return [{ check: 'projection', subject: name, difference: reasonOf(error) }];
  }
};

/**
 * Proves from outside what must always hold (design §9): hash chain and signed tree of the log, the state of every
 * stream, every award, every read model and Σ of the ledger, each recomputed from the events alone. Reads only.
 * @throws when the database cannot be read at all.
 */
export const runAuditCheck = async (deps: AuditDeps): Promise<AuditReport> => {
  const pin = await pinLog(deps.pool);
  const begin = deps.after === undefined ? null : await startAfter(deps.pool, deps.after, pin);
  // What cannot be gone on from is a problem by itself, and all of the log is checked.
  const start = begin?.ok ? begin.start : null;
  const unlike: Problem[] =
    begin && !begin.ok ? [{ check: 'chain', subject: 'checkpoint', difference: begin.problem }] : [];
  const walk = await walkLog(deps.pool, pin, start);
  const replayed = await checkStreams(deps, readStreamEnds(deps.pool, pin.position, start?.head.position));
  const replay = replayed.problems;
  const projections: Problem[] = [];
  if (!start) for (const readModel of deps.readModels) projections.push(...(await checkReadModel(readModel)));

  const ledger: Problem[] = [];
  if (walk.ledgerSum !== 0n) {
    ledger.push({ check: 'ledger', subject: 'log', difference: `the postings sum to ${walk.ledgerSum}` });
  }
  let balances: Micro = toMicro(0n);
  try {
    balances = await deps.ledgerTotal();
    if (units(balances) !== 0n) {
      ledger.push({ check: 'ledger', subject: 'balances', difference: `the balances sum to ${balances}` });
    }
  } catch (error) {
    ledger.push({ check: 'ledger', subject: 'balances', difference: reasonOf(error) });
  }

  return {
    from: String(start?.head.position ?? 0n),
    events: walk.events,
    streams: replayed.count,
    position: String(pin.position),
    chain_ok: unlike.length === 0 && !walk.problems.some(({ check }) => check === 'chain'),
    replay_ok: replay.length === 0 && !walk.problems.some(({ check }) => check === 'replay'),
    projections_ok: start ? null : projections.length === 0,
    // Whichever of the two is not zero; the log speaks first.
    ledger_sum_micro: walk.ledgerSum === 0n ? balances : toMicro(walk.ledgerSum),
    sla_credits_micro: walk.sla.paid,
    sla_outstanding_micro: walk.sla.outstanding,
    problems: [...unlike, ...walk.problems, ...replay, ...projections, ...ledger],
  };
};
