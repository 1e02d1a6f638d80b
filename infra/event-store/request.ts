import type { NewEvent, Origin } from '../../domain/event.ts';
import { NO_STREAM, type StreamAppend } from '../../domain/ports/event-store.ts';
import { isUnstorable } from '../../domain/text.ts';
import { envelopeOf } from './hash.ts';

/** Events for one stream as they will be stored: one type and one envelope per event, in revision order. */
export interface Part {
  readonly stream: string;
  readonly expected: bigint;
  /** Envelope of the event that has to stand at `expected`, or whatever does. */
  readonly previous?: string;
  readonly types: readonly string[];
  readonly envelopes: readonly string[];
  readonly commands: readonly PartCommand[];
}

/** A command that a part decides, with the revisions it causes. */
export interface PartCommand {
  readonly id: string;
  readonly first: bigint;
  readonly last: bigint;
}

/** An append call, checked and serialised: later changes of the caller's objects do not reach it. */
export interface AppendRequest {
  readonly parts: readonly Part[];
  readonly origin: Origin;
  /** Number of events. */
  readonly size: number;
  /** Length of all envelopes. */
  readonly length: number;
}

const NO_ORIGIN: Origin = { workflowId: null, runId: null };

/** What stream ids, types and workflow ids are made of: printable ASCII without space, quote and backslash. */
const NAME = /^[!#-[\]-~]{1,255}$/;

const checkName = (what: string, value: string): void => {
  if (!NAME.test(value))
    throw new RangeError(
      `${what} must be 1 to 255 printable ASCII characters without space, quote and backslash`,
    );
};

/**
 * An event holds U+0000 or a lone surrogate: a gate before the store has a hole (`domain/text.ts`). Stored, it would stop
 * readers for ever; trying again does not mend it.
 */
export class UnstorableError extends TypeError {
  override readonly name = 'UnstorableError';
}

/** A value of a wrong type would be stored as broken JSON, for ever. */
const checkEvent = (event: NewEvent): void => {
  checkName('an event type', event.type);
  if (!Number.isSafeInteger(event.schemaVersion)) throw new TypeError('a schema version is an integer');
  const { occurredAt, actor, correlationId, causationId, traceparent, data } = event;
  const texts = [occurredAt, actor, correlationId, causationId, traceparent ?? ''];
  if (texts.some((text) => typeof text !== 'string')) throw new TypeError('the context of an event is text');
  if (traceparent === undefined) throw new TypeError('a missing traceparent is null');
  if (typeof data !== 'object' || data === null || Array.isArray(data))
    throw new TypeError('data is an object');
};

/**
 * @throws RangeError on a request that no caller may make: no events, a stream named twice, a malformed name.
 * @throws TypeError on content that JSON cannot carry; UnstorableError on text that readers of it cannot.
 */
export const prepareAppend = (
  appends: readonly StreamAppend[],
  origin: Origin = NO_ORIGIN,
): AppendRequest => {
  if (appends.length === 0) throw new RangeError('an append names at least one stream');
  if (new Set(appends.map(({ stream }) => stream)).size < appends.length) {
    throw new RangeError('an append names each stream once');
  }
  if (origin.workflowId !== null) checkName('a workflow id', origin.workflowId);
  if (origin.runId !== null) checkName('a run id', origin.runId);
  const parts = appends.map(partOf);
  let size = 0;
  let length = 0;
  for (const { envelopes } of parts) {
    size += envelopes.length;
    for (const envelope of envelopes) length += envelope.length;
  }
  return { parts, origin, size, length };
};

/** @throws RangeError when no event, or events apart from each other, are caused by `id`. */
const commandOf = (id: string, { expectedRevision, events }: StreamAppend): PartCommand => {
  checkName('a command id', id);
  const first = events.findIndex(({ causationId }) => causationId === id);
  const last = events.findLastIndex(({ causationId }) => causationId === id);
  if (first < 0) throw new RangeError(`no event is caused by the command ${id}`);
  if (events.slice(first, last).some(({ causationId }) => causationId !== id))
    throw new RangeError(`the events caused by the command ${id} do not stand side by side`);
  const from = expectedRevision + 1n;
  return { id, first: from + BigInt(first), last: from + BigInt(last) };
};

const partOf = (append: StreamAppend): Part => {
  const { stream, expectedRevision, events, previous, commands = [] } = append;
  checkName('a stream id', stream);
  if (expectedRevision < NO_STREAM) throw new RangeError('an expected revision is at least -1');
  if (events.length === 0) throw new RangeError(`the append to ${stream} has no events`);
  const types: string[] = [];
  const envelopes: string[] = [];
  let revision = expectedRevision;
  for (const event of events) {
    checkEvent(event);
    revision += 1n;
    types.push(event.type);
    const envelope = envelopeOf(event, stream, revision);
    if (isUnstorable(envelope))
      throw new UnstorableError(`${event.type} for ${stream} holds U+0000 or half of a surrogate pair`);
    envelopes.push(envelope);
  }
  if (new Set(commands).size < commands.length)
    throw new RangeError('an append names each of its commands once');
  return {
    stream,
    expected: expectedRevision,
    ...(previous && { previous: envelopeOf(previous, stream, expectedRevision) }),
    types,
    envelopes,
    commands: commands.map((id) => commandOf(id, append)),
  };
};
