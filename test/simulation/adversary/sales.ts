import { type DomainEvent, domainEventOf } from '../../../domain/event.ts';
import type { JobSettled } from '../../../domain/job/events.ts';
import type { Job } from '../../../domain/job/job.ts';
import { units } from '../../../domain/money.ts';
import type { EventStore } from '../../../domain/ports/event-store.ts';
import type { SimulatedHost } from '../host.ts';

/** Capacity that an owner sold to a job, at the price that it was promised. */
export interface Sale {
  readonly owner: string;
  readonly auctionId: string;
  /** Micro-units. */
  readonly paid: number;
  /** TOPS × ms: as much of what was declared as was paid of what was promised. */
  readonly topsMs: number;
}

/** Who was paid when a job ended, and what. */
export const payoutsOf = async (store: EventStore, jobId: string): Promise<JobSettled['payouts']> => {
  const end = (await store.readStream(jobId)).at(-1);
  const { payouts = [] } = (end ? domainEventOf<DomainEvent>(end) : {}) as Partial<JobSettled>;
  return payouts;
};

/** What the jobs of `submitters` bought. */
export const salesTo = async (
  submitters: ReadonlySet<string>,
  hosts: Iterable<SimulatedHost>,
  store: EventStore,
): Promise<Sale[]> => {
  const sales: Sale[] = [];
  for (const { lifecycle, snapshot } of hosts) {
    if (lifecycle.aggregate !== 'job') continue;
    const { submitter, jobId, auctionId, members, requiredTops, durationSeconds } = snapshot.context as Job;
    if (!submitters.has(submitter)) continue;
    for (const { bidId, owner, amount } of await payoutsOf(store, jobId)) {
      const promised = Number(units(members.find((each) => each.bidId === bidId)?.payment ?? amount));
      const paid = Number(units(amount));
      const share = promised === 0 ? 0 : Math.min(1, paid / promised);
      sales.push({ owner, auctionId, paid, topsMs: share * requiredTops * durationSeconds * 1000 });
    }
  }
  return sales;
};
