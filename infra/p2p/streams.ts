import type { Stream } from '@libp2p/interface';
import type { Uint8ArrayList } from 'uint8arraylist';
import { createFrameDecoder, FrameError } from './frames.ts';

/** The stream ended before its frame was complete, or before all of it was sent. */
export class StreamEndedError extends Error {
  override readonly name = 'StreamEndedError';
}

/**
 * The next frame that the other end sends on `stream`; it sends no other before it is answered. Rejects with FrameError,
 * StreamEndedError or the reason of `signal`. libp2p buffers what came before the first listener, so nothing is missed.
 */
export const readFrame = (
  stream: Stream,
  admit: (bytes: number) => boolean,
  signal: AbortSignal,
): Promise<unknown> =>
  new Promise((resolve, reject) => {
    const decoder = createFrameDecoder(admit);
    const finish = (settle: () => void): void => {
      stream.removeEventListener('message', onMessage);
      stream.removeEventListener('end', onEnd);
      stream.removeEventListener('close', onEnd);
      signal.removeEventListener('abort', onAbort);
      settle();
    };
    const onMessage = (event: { readonly data: Uint8Array | Uint8ArrayList }): void => {
      try {
        const [message, ...others] = decoder.push(event.data);
        if (message === undefined) return;
        if (others.length > 0 || decoder.isPartial()) throw new FrameError('more than one frame at a time');
        finish(() => resolve(message));
      } catch (error) {
        finish(() => reject(error instanceof Error ? error : new Error(String(error))));
      }
    };
    // Buffered data is dispatched in a microtask queued before this one, so it still wins.
    const onEnd = (): void =>
      queueMicrotask(() => finish(() => reject(new StreamEndedError('the stream ended before the message'))));
    const onAbort = (): void => finish(() => reject(signal.reason as Error));

    stream.addEventListener('message', onMessage);
    stream.addEventListener('end', onEnd);
    stream.addEventListener('close', onEnd);
    signal.addEventListener('abort', onAbort);
    if (signal.aborted) onAbort();
    else if (stream.readableEnded || (stream.status !== 'open' && stream.status !== 'closing')) onEnd();
  });

/** Resolves when the other end has room for all that was sent. @throws StreamEndedError when it has left. */
export const allSent = async (stream: Stream): Promise<void> => {
  if (stream.writeBufferLength > 0)
    await new Promise<void>((resolve, reject) => {
      const finish = (settle: () => void): void => {
        stream.removeEventListener('idle', onIdle);
        stream.removeEventListener('close', onClose);
        settle();
      };
      const onIdle = (): void => finish(resolve);
      const onClose = (): void =>
        finish(() => reject(new StreamEndedError('the stream ended before all was sent')));
      stream.addEventListener('idle', onIdle);
      stream.addEventListener('close', onClose);
    });
  if (stream.writableNeedsDrain) await stream.onDrain();
};
