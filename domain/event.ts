import type { JsonObject } from './json.ts';
import { schemaVersionOf } from './schema-versions.ts';

/** A domain event as machines and folds see it: a past-tense type and its payload, flat. */
export interface DomainEvent {
  readonly type: string;
}

/** Who caused an event, when, and as part of what. All of it is hashed into the log. */
export interface EventContext {
  /** RFC 3339 UTC instant with `Z`, decided by the host's clock, never by a reader. */
  readonly occurredAt: string;
  /** Principal id (`subject-…`, `node-…`) or `engine`. */
  readonly actor: string;
  /** Id of the journey this belongs to, e.g. the job id. */
  readonly correlationId: string;
  /** Id of the command or event that directly caused this one. */
  readonly causationId: string;
  /** W3C trace context of the cause, if there was one. */
  readonly traceparent: string | null;
}

/** An event on its way into the store. `data` is the domain event without its `type`. */
export interface NewEvent extends EventContext {
  readonly type: string;
  readonly schemaVersion: number;
  readonly data: JsonObject;
}

/** Where an event was decided: unhashed metadata, so that a workflow reset does not change the log. */
export interface Origin {
  readonly workflowId: string | null;
  readonly runId: string | null;
}

/**
 * A stored event. `id` is `<stream>@<revision>`: it derives from the place in the stream and from nothing else,
 * so a retried append meets its own first result. Revisions count from 0, positions from 1.
 */
export interface RecordedEvent extends NewEvent, Origin {
  readonly id: string;
  readonly stream: string;
  readonly revision: bigint;
  readonly position: bigint;
  readonly recordedAt: string;
  /** Hex chain hash: SHA-256(previous chain hash ‖ leaf). */
  readonly hash: string;
}

/** The id of the event at `revision` of `stream`. */
export const eventId = (stream: string, revision: bigint | number): string => `${stream}@${revision}`;

/** The aggregate a stream belongs to: `auction-01J…` → `auction`. */
export const aggregateOf = (stream: string): string => stream.slice(0, stream.indexOf('-'));

/** The domain event inside a stored one. The caller names the union it expects; `audit check` holds each event against its schema. */
export const domainEventOf = <E extends DomainEvent>(event: Pick<NewEvent, 'type' | 'data'>): E =>
  ({ type: event.type, ...event.data }) as unknown as E;

/** A domain event as a new event of `context`, in the shape that its type has now. */
export const newEvent = (event: DomainEvent, context: EventContext): NewEvent => {
  const { type, ...data } = event;
  return { type, schemaVersion: schemaVersionOf(type), data, ...context };
};
