import { type Client, WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { aggregateOf, type RecordedEvent } from '../../domain/event.ts';
import type { EventStore } from '../../domain/ports/event-store.ts';
import { HOST_VERSION } from '../../domain/ports/lifecycles.ts';
import { LIFECYCLES, machineVersionOf } from '../../domain/registry.ts';

export interface RecoverOptions {
  readonly client: Client;
  readonly store: EventStore;
  readonly taskQueue: string;
}

export interface Recovered {
  /** Lifecycles that were opened again. */
  readonly opened: number;
  /** Lifecycles that run anyway. */
  readonly running: number;
  /** Lifecycles that had ended, and tell an unfinished job so once more. */
  readonly told: number;
}

const PAGE = 1_000;
/** Workflows that are started at the same time. */
const AT_ONCE = 16;

const OPENINGS: readonly string[] = Object.values(LIFECYCLES).map(({ opening }) => opening);

/** The job that a lifecycle belongs to and reports to; null for one that stands on its own. */
const parentOf = ({ type, data }: RecordedEvent): string | null => {
  const { jobId } = data;
  return type !== LIFECYCLES.job.opening && typeof jobId === 'string' ? jobId : null;
};

const parentsFirst = (a: RecordedEvent, b: RecordedEvent): number =>
  Number(parentOf(a) !== null) - Number(parentOf(b) !== null) || Number(a.position - b.position);

/** The openings of all lifecycles without an end, parents first, and of all that an unfinished job has to hear from. */
const unfinished = async (
  store: EventStore,
): Promise<{ readonly open: readonly RecordedEvent[]; readonly heard: readonly RecordedEvent[] }> => {
  const open: RecordedEvent[] = [];
  const ended: RecordedEvent[] = [];
  for (let after = 0n; ; ) {
    const page = await store.readAll({ after, limit: PAGE, types: OPENINGS });
    const ends = await store.snapshotRevisions(page.map(({ stream }) => stream));
    for (const event of page) (ends.has(event.stream) ? ended : open).push(event);
    const last = page.at(-1);
    if (!last || page.length < PAGE) break;
    after = last.position;
  }
  const jobs = new Set(open.map(({ stream }) => stream));
  const heard = ended.filter((event) => jobs.has(parentOf(event) ?? ''));
  return { open: open.toSorted(parentsFirst), heard };
};

/**
 * Opens every unfinished lifecycle again from the log, for a Temporal that has lost its own store: states, deadlines and
 * effects follow from the events. What runs already is left alone, so it may be called at any time, and again.
 */
export const recoverLifecycles = async ({ client, store, taskQueue }: RecoverOptions): Promise<Recovered> => {
  /** @returns false when it runs already. */
  const open = async (first: RecordedEvent): Promise<boolean> => {
    const { stream } = first;
    const parent = parentOf(first);
    const input = {
      stream,
      version: machineVersionOf([first]),
      recover: true,
      sealed: true,
      host: HOST_VERSION,
      ...(parent !== null && { parent }),
    };
    try {
      await client.workflow.start(aggregateOf(stream), {
        workflowId: stream,
        args: [input],
        taskQueue,
        workflowIdReusePolicy: 'ALLOW_DUPLICATE',
        workflowIdConflictPolicy: 'FAIL',
      });
      return true;
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      return false;
    }
  };

  /** How many of them were opened. */
  const openAll = async (lifecycles: readonly RecordedEvent[]): Promise<number> => {
    let opened = 0;
    for (let start = 0; start < lifecycles.length; start += AT_ONCE) {
      const results = await Promise.all(lifecycles.slice(start, start + AT_ONCE).map(open));
      opened += results.filter(Boolean).length;
    }
    return opened;
  };

  const lifecycles = await unfinished(store);
  const opened = await openAll(lifecycles.open);
  return { opened, running: lifecycles.open.length - opened, told: await openAll(lifecycles.heard) };
};
