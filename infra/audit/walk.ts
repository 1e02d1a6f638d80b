import type { Pool } from 'pg';
import { LEDGER_STREAM, type LedgerEvent, type Posting } from '../../domain/ledger/events.ts';
import { isMicro, units } from '../../domain/money.ts';
import { type ChainEntry, createChainVerifier } from '../event-store/chain.ts';
import { createAwardCheck } from './award-check.ts';
import { dataOf, entriesOf, type LogEntry, type Pin, readEntries } from './log.ts';
import type { Problem } from './report.ts';
import { createHeadCheck } from './signed-head.ts';
import { createSlaTally, type SlaTotals } from './sla-tally.ts';
import type { Start } from './start.ts';

/** What one pass over the log finds. */
export interface Walk {
  readonly events: number;
  /** Σ over all postings of the log. */
  readonly ledgerSum: bigint;
  readonly sla: SlaTotals;
  /** Of the chain, of awards that do not follow from their bids, and of money that does not follow from the events it cites. */
  readonly problems: readonly Problem[];
}

const inChain = (subject: string, difference: string): Problem => ({ check: 'chain', subject, difference });

/** Sum of an entry's postings; what cannot be read is the chain's problem, or its stream's. */
const sumOf = (entry: ChainEntry): bigint => {
  const postings: unknown = dataOf<Partial<LedgerEvent>>(entry)?.postings;
  if (!Array.isArray(postings)) return 0n;
  return (postings as readonly (Partial<Posting> | null)[]).reduce(
    (sum, posting) => (isMicro(posting?.amount) ? sum + units(posting.amount) : sum),
    0n,
  );
};

/**
 * Reads the pinned log once, as a whole or from a start on: hash chain, order, the signed tree, the awards and the money in it. It holds a page of the
 * log, the auctions that are open and the services that gave credits: memory does not grow with the log.
 */
export const walkLog = async (pool: Pool, pin: Pin, start: Start | null = null): Promise<Walk> => {
  const verifier = createChainVerifier<LogEntry>(({ before }) => before, start?.head);
  const signed = await createHeadCheck(pool, pin.position, start?.tree);
  const problems: Problem[] = [];
  const sla = createSlaTally();
  const awards = createAwardCheck();
  let events = 0;
  let ledgerSum = 0n;
  for await (const entry of readEntries(pool, pin.position, start?.head.position)) {
    events++;
    for (const fault of verifier.check(entry))
      problems.push(inChain(`position ${fault.position}`, fault.problem));
    signed.take(entry);
    if (entry.stream === LEDGER_STREAM) ledgerSum += sumOf(entry);
    sla.take(entry);
    awards.take(entry);
  }
  // Of an auction that was under way at the start, all bids are needed.
  for (const stream of start ? awards.unseen() : [])
    for (const entry of await entriesOf(pool, stream, pin.position)) awards.take(entry);
  const end = verifier.head();
  if (end.position !== pin.position || end.hash !== pin.hash) {
    problems.push(
      inChain(
        'head',
        `recorded at ${pin.position} (${pin.hash}), the log ends at ${end.position} (${end.hash})`,
      ),
    );
  }
  if (pin.newest > pin.position) {
    problems.push(inChain('head', `recorded at ${pin.position}, but there are events up to ${pin.newest}`));
  }
  const difference = signed.difference();
  if (difference !== null) problems.push(inChain('signed head', difference));
  return {
    events,
    ledgerSum,
    sla: sla.totals(),
    problems: [...problems, ...awards.problems(), ...sla.problems()],
  };
};
