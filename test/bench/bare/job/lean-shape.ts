import type { BareJob } from './old-shape.ts';
import { effect, show, timer } from './parts.ts';

/** The least that a durable job could be: one workflow with a timer and four activities. */
export const leanJob = async ({ auctionSeconds, body }: BareJob): Promise<void> => {
  await timer(auctionSeconds).fired;
  for (const name of ['award', 'run', 'prove', 'settle']) await effect(name, body);
  show('settled');
};
