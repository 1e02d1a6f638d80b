import { Listr, ListrLogger, type ListrTask, ProcessOutput } from 'listr2';
import type { Job } from '../client/schema.ts';
import { counted } from '../render/text.ts';
import { hasEnded, type JobReporter } from './run-job.ts';
import { quoteTitle, STEPS, type Step, SUBMISSION_STEPS, stepOf, titleOf } from './steps.ts';

export interface ProgressView {
  readonly report: JobReporter;
  /** Ends the view, also in the middle after an error. Idempotent; resolves when all is drawn. */
  close(): Promise<void>;
}

/** What ends a row that did not get to its end. */
class Stopped extends Error {
  override readonly name = 'Stopped';
}

interface Row {
  /** Open with null when the step is done, with an error when it stopped. */
  readonly gate: PromiseWithResolvers<Stopped | null>;
  /** Sets the title on the terminal once the row is drawn. */
  draw: ((title: string) => void) | null;
  title: string;
}

const createRow = (title: string): Row => ({ gate: Promise.withResolvers(), draw: null, title });

const taskOf = (row: Row): ListrTask => ({
  title: row.title,
  task: async (_, task) => {
    row.draw = (title) => {
      task.title = title;
    };
    row.draw(row.title);
    const stopped = await row.gate.promise;
    if (stopped) throw stopped;
  },
});

/** Narrower, or of unknown width, a list that redraws itself becomes a heap of broken lines. */
const MIN_COLUMNS = 40;

const isLive = ({ isTTY, columns }: NodeJS.WriteStream): boolean => isTTY && columns >= MIN_COLUMNS;

/** Draws until every row is through its gate, or one failed: a live list on a terminal, a line per step elsewhere. */
const drawList = async (rows: readonly Row[], stream: NodeJS.WriteStream): Promise<void> => {
  const logger = new ListrLogger({ useIcons: true, processOutput: new ProcessOutput(stream, stream) });
  const list = new Listr(rows.map(taskOf), {
    renderer: isLive(stream) ? 'default' : 'simple',
    rendererOptions: { logger, showErrorMessage: false, collapseErrors: false },
    // A view that is interrupted is closed like any other.
    registerSignalListeners: false,
    fallbackRenderer: 'simple',
    fallbackRendererOptions: { logger },
  });
  try {
    await list.run();
  } catch (error) {
    // The failed row is drawn; what failed is told by whoever failed it.
    if (!(error instanceof Stopped)) throw error;
  }
};

/** Shows `steps` on `stream` as a job goes through them. */
export const createProgressView = (
  stream: NodeJS.WriteStream,
  steps: readonly Step[] = STEPS,
  now: () => number = Date.now,
): ProgressView => {
  const rows = steps.map((step) => createRow(titleOf(step, null, now())));
  const drawn = drawList(rows, stream);
  let current = 0;

  const retitle = (step: Step, title: string): void => {
    const row = rows[steps.indexOf(step)];
    if (!row || row.title === title) return;
    row.title = title;
    row.draw?.(title);
  };
  const advanceTo = (index: number): void => {
    for (; current < Math.min(index, rows.length); current++) rows[current]?.gate.resolve(null);
  };
  const stop = (reason: string): void => {
    rows[current]?.gate.resolve(new Stopped(reason));
    current = rows.length;
  };
  const follow = (job: Job): void => {
    for (const step of steps.slice(SUBMISSION_STEPS.length)) retitle(step, titleOf(step, job, now()));
    const step = stepOf(job);
    // A member lost in the run sends the job back; what was done stays done.
    if (step !== null) advanceTo(STEPS.indexOf(step));
    else if (job.state === 'settled') advanceTo(rows.length);
    else if (hasEnded(job)) stop(job.reason ?? 'failed');
  };

  return {
    report: (progress) => {
      switch (progress.type) {
        case 'quoted':
          retitle('quote', quoteTitle(progress.quote));
          return advanceTo(STEPS.indexOf('upload'));
        case 'uploaded':
          retitle('upload', `Uploaded ${counted(progress.bytes, 'byte')}`);
          return advanceTo(STEPS.indexOf('submit'));
        case 'submitted':
          retitle('submit', `Submitted as ${progress.jobId}`);
          return advanceTo(SUBMISSION_STEPS.length);
        case 'followed':
          return follow(progress.job);
      }
    },
    close: async () => {
      stop('see below');
      await drawn;
    },
  };
};
