import { LRUCache } from 'lru-cache';
import type { AuctionOpened, BidPlaced } from '../../domain/auction/events.ts';
import type { EnclaveRequested } from '../../domain/enclave/events.ts';
import { domainEventOf, type RecordedEvent } from '../../domain/event.ts';
import type { JobSubmitted } from '../../domain/job/events.ts';
import type { EventStore } from '../../domain/ports/event-store.ts';
import type { AcceptanceEvent } from '../../domain/predicate/acceptance.ts';
import type { PredicateRequested } from '../../domain/predicate/events.ts';
import type { ProofEvent } from '../../domain/proof/events.ts';
import type { ProviderRegistered } from '../../domain/provider/events.ts';
import type { QuorumFormed } from '../../domain/quorum/events.ts';
import type { SlaEvent } from '../../domain/sla/events.ts';
import type { SubjectEnrolled } from '../../domain/subject/events.ts';

/** The events that begin a stream and name whom it concerns. */
type FirstEvent =
  | AcceptanceEvent
  | AuctionOpened
  | EnclaveRequested
  | JobSubmitted
  | PredicateRequested
  | ProofEvent
  | ProviderRegistered
  | QuorumFormed
  | SlaEvent
  | SubjectEnrolled
  | { readonly type: 'ledger.entry-posted' };

export interface Ownership {
  /** Principals that a stream belongs to; null for a stream that does not exist. */
  ownersOf(stream: string): Promise<ReadonlySet<string> | null>;
  /** Principals that an event concerns: those of its stream, but a bid is its bidder's alone (settled 36). */
  ownersOfEvent(event: RecordedEvent): Promise<ReadonlySet<string>>;
}

const CACHED_STREAMS = 50_000;

/**
 * Whom a stream belongs to is in its first event, or in that of the stream it serves; so it never changes. Nor do the owners
 * of an event: whoever reads the log by its positions gets everything of his once, and nothing has to be told later.
 */
export const createOwnership = (store: Pick<EventStore, 'readStream'>): Ownership => {
  const known = new LRUCache<string, ReadonlySet<string>>({ max: CACHED_STREAMS });

  const ownersOfWork = async ({
    jobId,
    providerId,
  }: {
    readonly jobId: string | null;
    readonly providerId: string;
  }): Promise<ReadonlySet<string>> => {
    const job = jobId ? await ownersOf(jobId) : null;
    return new Set([...(job ?? []), ...((await ownersOf(providerId)) ?? [])]);
  };

  const ownersBy = async (first: RecordedEvent): Promise<ReadonlySet<string>> => {
    const event = domainEventOf<FirstEvent>(first);
    switch (event.type) {
      case 'auction.opened':
      case 'job.submitted':
        return new Set([event.submitter]);
      case 'enclave.requested':
      case 'sla.credit-granted':
        return new Set([event.submitter, event.owner]);
      case 'provider.registered':
        return new Set([event.owner]);
      case 'subject.enrolled':
        return new Set([event.subjectId]);
      case 'predicate.requested':
        return new Set([event.requestedBy]);
      case 'predicate.proof-accepted':
      case 'predicate.context-used':
        return new Set([event.verifier]);
      case 'quorum.formed': {
        const members = event.members.map((member) => member.owner);
        return new Set([...members, ...((await ownersOf(event.jobId)) ?? [])]);
      }
      case 'proof.recorded':
        return ownersOfWork(event.proof.record);
      case 'proof.availability-recorded':
      case 'proof.sla-compliance-recorded':
        return ownersOfWork(event.record.terms);
      default:
        return new Set();
    }
  };

  const ownersOf = async (stream: string): Promise<ReadonlySet<string> | null> => {
    const cached = known.get(stream);
    if (cached) return cached;
    const [first] = await store.readStream(stream, { from: 0n, to: 0n });
    return first ? ownersFrom(first) : null;
  };

  const ownersFrom = async (first: RecordedEvent): Promise<ReadonlySet<string>> => {
    const owners = known.get(first.stream) ?? (await ownersBy(first));
    known.set(first.stream, owners);
    return owners;
  };

  return {
    ownersOf,
    ownersOfEvent: async (event) => {
      if (event.type === 'auction.bid-placed') return new Set([domainEventOf<BidPlaced>(event).owner]);
      if (event.revision === 0n) return ownersFrom(event);
      return (await ownersOf(event.stream)) ?? new Set();
    },
  };
};
