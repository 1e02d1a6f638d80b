import { allHandlersFinished, condition, ParentClosePolicy, startChild } from '@temporalio/workflow';
import { commands, effect, report, reports, show, step, tell, timer } from './parts.ts';

/** Of one job: its workflows are `job-ID`, `auction-ID`, `quorum-ID` and `enclave-ID-n`. */
export interface BareJob {
  readonly id: string;
  readonly auctionSeconds: number;
  readonly bids: number;
  /** Members of the quorum. */
  readonly members: number;
  /** Stands for what events and inputs hold. */
  readonly body: string;
}

const child = (type: string, workflowId: string, job: BareJob) =>
  startChild(type, { workflowId, args: [job, workflowId], parentClosePolicy: ParentClosePolicy.ABANDON });

/**
 * A silver job as Temporal saw it in November 2026: 5 workflows with 29 local and 11 other activities, 10 updates, 7 signals,
 * 14 timers and 25 upserts of search attributes, which make some 40 workflow tasks and 300 events; counted in histories
 * of commit fb705bb, whose order this follows. No machine, no rules, no log.
 */
export const job = async (order: BareJob): Promise<void> => {
  const { id, members, body } = order;
  const { heard } = reports();
  const submission = commands();
  const enclaves = Array.from({ length: members }, (_, index) => `enclave-${id}-${index}`);
  await submission.arrived();
  const taken = submission.take();
  await step();
  let deadline = timer(120);
  const next = (seconds: number, state: string): void => {
    deadline.cancel();
    deadline = timer(seconds);
    show(state);
  };
  show('quoted');
  taken.answer();
  await child('auction', `auction-${id}`, order);
  await heard(1);
  await step();
  next(130, 'auctioning');
  await heard(2);
  await step();
  next(120, 'forming');
  await child('quorum', `quorum-${id}`, order);
  await heard(3);
  await step();
  next(180, 'preparing');
  await Promise.all(enclaves.map((enclave) => child('enclave', enclave, order)));
  for (let ready = 1; ready <= members; ready++) {
    await heard(3 + ready);
    await step();
  }
  next(240, 'running');
  await tell(enclaves, body);
  await step();
  for (let ended = 1; ended <= members; ended++) {
    await heard(3 + members + ended);
    await step();
  }
  next(300, 'proving');
  await effect('prove', body);
  await step();
  deadline.cancel();
  show('settling');
  await tell([`quorum-${id}`], body);
  await step();
  show('settled');
  await condition(allHandlersFinished);
};

export const auction = async ({ id, auctionSeconds, bids }: BareJob): Promise<void> => {
  const desk = commands();
  await step();
  const { fired } = timer(auctionSeconds);
  show('open');
  await report(`job-${id}`, 'open');
  for (let placed = 0; placed < bids; ) {
    await desk.arrived();
    const { count, answer } = desk.take();
    await step();
    answer();
    placed += count;
  }
  await fired;
  await step();
  show('opening');
  show('awarded');
  await report(`job-${id}`, 'awarded');
  await condition(allHandlersFinished);
};

export const quorum = async ({ id }: BareJob): Promise<void> => {
  const desk = commands();
  await step();
  const deadline = timer(1860);
  show('formed');
  await report(`job-${id}`, 'formed');
  await desk.arrived();
  const { answer } = desk.take();
  await step();
  show('dissolved');
  deadline.cancel();
  answer();
  await condition(allHandlersFinished);
};

export const enclave = async ({ id, body }: BareJob): Promise<void> => {
  const desk = commands();
  await step();
  show('creating');
  await effect('create', body);
  await step();
  show('attesting');
  await effect('attest', body);
  await step();
  const [idle, expiry] = [timer(1860), timer(75_600)];
  show('ready');
  await report(`job-${id}`, 'ready');
  await desk.arrived();
  const { answer } = desk.take();
  await step();
  const running = effect('run', body);
  const renewed = timer(75_600);
  show('running');
  idle.cancel();
  expiry.cancel();
  answer();
  await running;
  await step();
  const destroyed = effect('destroy', body);
  show('destroying');
  renewed.cancel();
  await Promise.all([report(`job-${id}`, 'ended'), destroyed]);
  await step();
  show('terminated');
  await condition(allHandlersFinished);
};
