import { z } from 'zod';
import type { RecordedEvent } from '../../domain/event.ts';
import type { JsonObject } from '../../domain/json.ts';
import { nameOf } from '../../domain/schema.ts';
import { position } from '../fields.ts';
import { TOPICS, type Topic } from './topics.ts';

/** Largest client frame, bytes. */
export const MAX_FRAME_BYTES = 1024 * 1024;

export type FrameError =
  | 'MESSAGE_TOO_LARGE'
  | 'JSON_DECODE_ERROR'
  | 'INVALID_MESSAGE_TYPE'
  | 'PROCESSING_ERROR'
  | 'UNKNOWN_TOPIC'
  | 'TOPIC_FORBIDDEN';

const topics = z.array(nameOf(64)).min(1).max(32);
const from = z.union([position, z.int().min(0).transform(String)]).transform(BigInt);

const clientFrame = z.discriminatedUnion('action', [
  z.strictObject({ action: z.literal('subscribe'), topics, from: from.optional() }),
  z.strictObject({ action: z.literal('unsubscribe'), topics }),
  z.strictObject({ action: z.literal('ping') }),
]);

export type ClientFrame = z.output<typeof clientFrame>;

/** The frame in `text`, or the code of what is wrong with it. */
export const parseFrame = (text: string): ClientFrame | FrameError => {
  if (Buffer.byteLength(text) > MAX_FRAME_BYTES) return 'MESSAGE_TOO_LARGE';
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return 'JSON_DECODE_ERROR';
  }
  const parsed = clientFrame.safeParse(value);
  return parsed.success ? parsed.data : 'INVALID_MESSAGE_TYPE';
};

/** An event on its way to sessions: each topic's frame is made once, however many get it. */
export interface Announcement {
  readonly event: RecordedEvent;
  readonly owners: ReadonlySet<string>;
  /** The frame of `topic`, or null when the topic says nothing of this event. */
  frame(name: string, topic: Topic): string | null;
}

export const announcementOf = (event: RecordedEvent, owners: ReadonlySet<string>): Announcement => {
  const frames = new Map<string, string | null>();
  const make = (topic: string, data: JsonObject | null): string | null =>
    data && JSON.stringify({ topic, data, timestamp: event.occurredAt, position: String(event.position) });
  return {
    event,
    owners,
    frame: (name, topic) => {
      const made = frames.get(name);
      if (made !== undefined) return made;
      const frame = make(name, topic.data(event));
      frames.set(name, frame);
      return frame;
    },
  };
};

export const topicOf = (name: string): Topic | undefined => TOPICS.get(name);
