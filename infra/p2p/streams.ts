import type { Stream } from '@libp2p/interface';
import type { Uint8ArrayList } from 'uint8arraylist';
import { createFrameDecoder } from './frames.ts';

/** The stream ended before its frame was complete. */
class StreamEndedError extends Error {
  override readonly name = 'StreamEndedError';
}

/**
 * The one frame that the other end sends on `stream`. Rejects with FrameError, StreamEndedError or the reason of
 * `signal`. libp2p buffers what came before the first listener, so nothing is missed.
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
        const [message] = decoder.push(event.data);
        if (message !== undefined) finish(() => resolve(message));
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
