import type { AuctionEvent } from '../../domain/auction/events.ts';
import { aggregateOf, domainEventOf, type RecordedEvent } from '../../domain/event.ts';
import type { JsonObject } from '../../domain/json.ts';
import type { Role } from '../../domain/subject/events.ts';
import type { Principal } from '../../infra/keys/credentials.ts';
import { hasRole, maySee } from '../roles.ts';

export interface Topic {
  /** Roles that may subscribe; everybody with an identity when absent. */
  readonly roles?: readonly Role[];
  /** Every subscriber gets every frame; otherwise whom the event concerns, operators and auditors. */
  readonly shared?: true;
  /** What the topic says of `event`; null when it says nothing. */
  readonly data: (event: RecordedEvent) => JsonObject | null;
}

/** States of a job that an event names by itself; the others depend on the members and are in the read model. */
const JOB_STATES: Readonly<Record<string, string>> = {
  'job.admitted': 'quoted',
  'job.requeued': 'queued',
  'job.auction-opened': 'auctioning',
  'job.auction-awarded': 'forming',
  'job.member-failed': 'forming',
  'job.standby-declined': 'forming',
  'job.results-disagreed': 'forming',
  'job.proven': 'settling',
  'job.aborted': 'settling',
  'job.settled': 'settled',
  'job.failed': 'failed',
};

const jobStatus = (event: RecordedEvent): JsonObject | null => {
  if (aggregateOf(event.stream) !== 'job') return null;
  const state = JOB_STATES[event.type];
  return { job_id: event.stream, event: event.type, ...(state ? { state } : {}), details: event.data };
};

/** What everybody may know of an auction (settled 36): that bids come and when, not whose; of prices the winners' payments. */
const auctionUpdate = (event: RecordedEvent): JsonObject | null => {
  const auction = domainEventOf<AuctionEvent>(event);
  const about = { auction_id: event.stream, event: event.type };
  switch (auction.type) {
    case 'auction.opened': {
      const { tier, ceiling, winners, closesAt } = auction;
      return { ...about, tier, ceiling, k: winners, closes_at: closesAt };
    }
    case 'auction.bid-placed':
      return { ...about, placed_at: auction.placedAt };
    case 'auction.extended':
      return { ...about, closes_at: auction.closesAt };
    case 'auction.closed':
    case 'auction.lapsed':
      return about;
    case 'auction.allocated':
      return about;
    case 'auction.awarded': {
      const winners = auction.winners.map(({ providerId, payment }) => ({
        provider_id: providerId,
        payment,
      }));
      return { ...about, winners, total: auction.total };
    }
    case 'auction.failed':
      return { ...about, reason: auction.reason, message: auction.message };
    default:
      return null;
  }
};

/** R122: the topic is the kind of event, and `data` nests the whole event. */
const wholeEvents = (aggregate: string, roles?: readonly Role[]): Topic => ({
  ...(roles ? { roles } : {}),
  data: (event) => {
    if (aggregateOf(event.stream) !== aggregate) return null;
    return {
      id: event.id,
      type: event.type,
      schemaVersion: event.schemaVersion,
      stream: event.stream,
      revision: String(event.revision),
      occurredAt: event.occurredAt,
      actor: event.actor,
      correlationId: event.correlationId,
      causationId: event.causationId,
      data: event.data,
    };
  },
});

const OFFICE: readonly Role[] = ['operator', 'auditor'];

/** Every topic there is. Those of aggregates that do not exist yet are known and silent. */
export const TOPICS: ReadonlyMap<string, Topic> = new Map<string, Topic>([
  ['job_status', { data: jobStatus }],
  ['auction_updates', { shared: true, data: auctionUpdate }],
  ['circuit_events', { data: () => null }],
  ['realtime_acceptance', wholeEvents('acceptance')],
  ['realtime_agent_status', wholeEvents('agent')],
  ['realtime_auction', wholeEvents('auction')],
  ['realtime_chip', wholeEvents('chip', OFFICE)],
  ['realtime_enclave', wholeEvents('enclave')],
  ['realtime_job', wholeEvents('job')],
  ['realtime_ledger', wholeEvents('ledger', OFFICE)],
  ['realtime_observation', wholeEvents('observation')],
  ['realtime_predicate', wholeEvents('predicate')],
  ['realtime_proof', wholeEvents('proof')],
  ['realtime_provider', wholeEvents('provider')],
  ['realtime_quorum', wholeEvents('quorum')],
  ['realtime_sla', wholeEvents('sla')],
  ['realtime_subject', wholeEvents('subject')],
  ['realtime_system', wholeEvents('system', OFFICE)],
  ['realtime_topology', wholeEvents('topology')],
]);

export const maySubscribe = (topic: Topic, principal: Principal): boolean =>
  topic.roles === undefined || hasRole(principal, ...topic.roles);

/** Whether `principal` gets a frame of `topic` about an event that concerns `owners`. */
export const mayHear = (topic: Topic, principal: Principal, owners: ReadonlySet<string>): boolean =>
  topic.shared === true || maySee(principal, owners, OFFICE);
