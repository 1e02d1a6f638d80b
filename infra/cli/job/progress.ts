import { Listr, ListrLogger, type ListrTask, ProcessOutput } from 'listr2';
import type { Job } from '../client/schema.ts';
import { counted } from '../render/text.ts';
import { hasEnded, type JobProgress } from './run-job.ts';
import { quoteTitle, STEPS, type Step, stepOf, titleOf } from './steps.ts';

export interface ProgressView {
  report(progress: JobProgress): void;
  /** Ends the view after a job that was only submitted, or an error. Idempotent; resolves when all is drawn. */
  close(): Promise<void>;
}

interface Row {
  readonly gate: PromiseWithResolvers<void>;
  /** Sets the title on the terminal once the row is drawn. */
  draw: ((title: string) => void) | null;
  title: string;
}

/** The list of steps as it goes: a live one on a terminal, a line per step elsewhere. All of it goes to `stream`. */
export const createProgressView = (
  stream: NodeJS.WriteStream,
  now: () => number = Date.now,
): ProgressView => {
  const rows = STEPS.map(
    (step): Row => ({ gate: Promise.withResolvers(), draw: null, title: titleOf(step, null, now()) }),
  );
  const row = (step: Step): Row => rows[STEPS.indexOf(step)] as Row;
  let current = 0;

  const tasks = rows.map(
    (each): ListrTask => ({
      title: each.title,
      task: (_, task) => {
        each.draw = (title) => {
          task.title = title;
        };
        each.draw(each.title);
        return each.gate.promise;
      },
    }),
  );
  const logger = new ListrLogger({ useIcons: true, processOutput: new ProcessOutput(stream, stream) });
  const list = new Listr(tasks, {
    renderer: stream.isTTY ? 'default' : 'simple',
    rendererOptions: { logger, showErrorMessage: false, collapseErrors: false },
    fallbackRenderer: 'simple',
    fallbackRendererOptions: { logger },
  });
  // A rejection says no more than what ended the view, and its caller knows that.
  const drawn = list.run().catch(() => undefined);

  const retitle = (step: Step, title: string): void => {
    const each = row(step);
    if (each.title === title) return;
    each.title = title;
    each.draw?.(title);
  };
  const advanceTo = (index: number): void => {
    for (; current < index; current++) rows[current]?.gate.resolve();
  };
  const stop = (reason: string): void => {
    rows[current]?.gate.reject(new Error(reason));
    current = STEPS.length;
  };
  const follow = (job: Job): void => {
    for (const step of STEPS.slice(2)) retitle(step, titleOf(step, job, now()));
    const step = stepOf(job);
    // A member lost in the run sends the job back; what was done stays done.
    if (step !== null) advanceTo(STEPS.indexOf(step));
    else if (job.state === 'settled') advanceTo(STEPS.length);
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
          return advanceTo(STEPS.indexOf('auction'));
        case 'followed':
          return follow(progress.job);
      }
    },
    close: async () => {
      if (current < STEPS.length) stop('not followed further');
      await drawn;
    },
  };
};
