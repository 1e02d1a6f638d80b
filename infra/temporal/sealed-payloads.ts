import { join } from 'node:path';
import {
  type DataConverter,
  defaultPayloadConverter,
  type Payload,
  type SerializationContext,
} from '@temporalio/common';
import { FORGED } from '../../domain/ports/seals.ts';
import { readKeyFile } from '../keys/key-file.ts';
import { createPayloadSeal } from './payload-seal.ts';

/** A process without a workflow was given a payload that no holder of the key has made. */
export class ForgedPayloadError extends Error {
  constructor(context: SerializationContext | undefined) {
    super(`a payload without a true seal, for ${placeOf(context)}`);
    this.name = 'ForgedPayloadError';
  }
}

/** Where a payload was met, for a log. */
export const placeOf = (context: SerializationContext | undefined): string =>
  context === undefined
    ? 'no known place'
    : [context.type, context.workflowId, context.type === 'activity' && context.activityId]
        .filter(Boolean)
        .join(' ');

export type OnForged = (context: SerializationContext | undefined) => void;

const sealedPayloads = (
  keys: readonly Uint8Array[],
  forged: (payloads: readonly Payload[], context: SerializationContext | undefined) => Payload[],
): DataConverter => {
  const { seal, isSealed } = createPayloadSeal(keys);
  return {
    payloadCodecs: [
      {
        // Without a context it is for nobody: what a failed workflow task says of itself.
        encode: async (payloads, context) => (context ? seal(payloads, context) : payloads),
        decode: async (payloads, context) =>
          payloads.length === 0 || (context && isSealed(payloads, context))
            ? payloads
            : forged(payloads, context),
      },
    ],
  };
};

/** For a client: seals what it says, and throws a ForgedPayloadError for an answer that is not sealed. */
export const clientConverter = (keys: readonly Uint8Array[]): DataConverter =>
  sealedPayloads(keys, (_, context) => {
    throw new ForgedPayloadError(context);
  });

/**
 * For a worker: as for a client, but what has no true seal reaches workflows and activities as the mark of a forgery. A
 * workflow task that failed of it would be tried again for ever, and whoever sent it would have stopped the workflow.
 */
export const workerConverter = (keys: readonly Uint8Array[], onForged: OnForged): DataConverter => {
  const mark = defaultPayloadConverter.toPayload(FORGED);
  return sealedPayloads(keys, (payloads, context) => {
    onForged(context);
    return payloads.map(() => mark);
  });
};

/** The keys that seal commands, newest first: of APIs and workers, and of nobody else. */
export const readCommandKeys = (home: string): Promise<Uint8Array[]> =>
  readKeyFile(join(home, 'keys', 'commands.key'));
