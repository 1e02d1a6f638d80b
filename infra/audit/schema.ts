import type { RecordedEvent } from '../../domain/event.ts';
import { eventSchemaOf } from '../../domain/schemas.ts';

const faultOf = ({
  type,
  data,
  revision,
}: Pick<RecordedEvent, 'type' | 'data' | 'revision'>): string | null => {
  const schema = eventSchemaOf(type);
  if (!schema) return `revision ${revision}: ${type} is no known type of event`;
  const parsed = schema.safeParse({ type, ...data });
  if (parsed.success) return null;
  const [issue] = parsed.error.issues;
  return `revision ${revision}: ${type} breaks its schema: ${issue?.path.join('.') || 'event'}: ${issue?.message}`;
};

/**
 * Events that do not have the form of their type, in words; empty when all do. Readers in production do not ask: what
 * the engine decides has the form by its types, and an event that somebody else wrote is found here.
 */
export const misshapen = (
  events: readonly Pick<RecordedEvent, 'type' | 'data' | 'revision'>[],
): readonly string[] => events.flatMap((event) => faultOf(event) ?? []);
