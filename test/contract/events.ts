import type { NewEvent, Origin } from '../../domain/event.ts';
import type { JsonObject } from '../../domain/json.ts';
import type { StreamAppend } from '../../domain/ports/event-store.ts';

/** A new event whose content derives from its arguments alone, so that building it twice is a retry. */
export const sampleEvent = (data: JsonObject, over: Partial<NewEvent> = {}): NewEvent => ({
  type: 'sample.happened',
  schemaVersion: 1,
  data,
  occurredAt: '2026-01-02T03:04:05.678Z',
  actor: 'engine',
  correlationId: 'job-1',
  causationId: 'command-1',
  traceparent: null,
  ...over,
});

/** An append of `count` numbered events right after `expectedRevision`. */
export const sampleAppend = (
  stream: string,
  expectedRevision: bigint,
  count = 1,
  mark = '',
): StreamAppend => ({
  stream,
  expectedRevision,
  events: Array.from({ length: count }, (_, index) =>
    sampleEvent({ number: Number(expectedRevision) + 1 + index, mark }),
  ),
});

export const sampleOrigin: Origin = { workflowId: 'workflow-1', runId: 'run-1' };
