import type { Connection, Stream } from '@libp2p/interface';
import type { Uint8ArrayList } from 'uint8arraylist';
import { z } from 'zod';
import { ok, type Rejection, type Result, reject, rejectField } from '../../domain/errors.ts';
import type { MeshRefusal } from '../../domain/mesh/messages.ts';
import { jsonFault } from '../../domain/text.ts';
import type { ByteBudget } from './byte-budget.ts';
import { ARTIFACT_FRAME_BYTES, CONTROL_FRAME_BYTES, encodeFrame, FrameError } from './frames.ts';
import type { Peer } from './peer.ts';
import { readFrame } from './streams.ts';

/** One request and one reply on a stream of their own: requests never wait for each other. */
export type CallOutcome<T> =
  | { readonly ok: true; readonly reply: T }
  | {
      readonly ok: false;
      readonly failure: 'timeout' | 'aborted' | 'closed' | 'malformed';
      readonly message: string;
    };

export interface CallOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /** Largest reply; `CONTROL_FRAME_BYTES` unless the reply carries an artefact. */
  readonly maxReplyBytes?: number;
}

/** Streams of one protocol a connection may hold open each way: long runs keep theirs until they end. */
const MAX_STREAMS = 256;

const TIMED_OUT = new Error('no reply in time');

const failureOf = (
  error: unknown,
  deadline: AbortSignal,
): Extract<CallOutcome<never>, { ok: false }>['failure'] => {
  if (deadline.aborted) return deadline.reason === TIMED_OUT ? 'timeout' : 'aborted';
  return error instanceof FrameError || error instanceof z.ZodError ? 'malformed' : 'closed';
};

const sendLast = async (stream: Stream, frame: Uint8ArrayList, signal: AbortSignal): Promise<void> => {
  stream.send(frame);
  await stream.close({ signal });
};

/** A reply as its schema has read, mended and thinned it, behind the gate that all JSON passes. */
const passed = <T>(reply: T): T => {
  const fault = jsonFault(reply, 'reply');
  if (fault) throw new FrameError(`${fault.field}: ${fault.rule}`);
  return reply;
};

/** Sends a request and reads what `reply` accepts. Every failure of network or peer is a value. */
export const callPeer = async <T>(
  connection: Connection,
  protocol: string,
  request: object,
  reply: z.ZodType<T>,
  options: CallOptions,
): Promise<CallOutcome<T>> => {
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(TIMED_OUT), options.timeoutMs);
  const onAbort = (): void => deadline.abort(options.signal?.reason);
  options.signal?.addEventListener('abort', onAbort);
  if (options.signal?.aborted) onAbort();
  let stream: Stream | undefined;
  try {
    const frame = encodeFrame(request, ARTIFACT_FRAME_BYTES);
    stream = await connection.newStream(protocol, {
      signal: deadline.signal,
      maxOutboundStreams: MAX_STREAMS,
    });
    const maxReplyBytes = options.maxReplyBytes ?? CONTROL_FRAME_BYTES;
    const received = readFrame(stream, (bytes) => bytes <= maxReplyBytes, deadline.signal);
    // A peer may refuse before it has read everything: whichever comes first decides.
    const sent = sendLast(stream, frame, deadline.signal).then(() => received);
    const message = await Promise.race([received, sent]);
    return { ok: true, reply: passed(reply.parse(message)) };
  } catch (error) {
    const failure = failureOf(error, deadline.signal);
    stream?.abort(error as Error);
    return {
      ok: false,
      failure,
      message: failure === 'malformed' ? 'the reply breaks the protocol' : String(error),
    };
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener('abort', onAbort);
  }
};

export interface ServeOptions<Request> {
  readonly request: z.ZodType<Request>;
  /**
   * Answers one request. A thrown error is an `INTERNAL_ERROR` to the caller and goes to `onError`. `gone` aborts when the
   * caller no longer waits.
   */
  readonly answer: (request: Request, connection: Connection, gone: AbortSignal) => Promise<object>;
  /** Called when a reply is on its way. */
  readonly replied?: (connection: Connection) => void;
  /** Largest request from a caller that may carry no artefacts; default `CONTROL_FRAME_BYTES`. */
  readonly maxRequestBytes?: number;
  /** Who may send larger requests, and how much of them is in memory at once; default nobody. */
  readonly artifacts?: {
    readonly mayCarry: (connection: Connection) => boolean;
    readonly budget: ByteBudget;
  };
  readonly onError: (error: unknown) => void;
}

/** How long a caller may take to send its request. */
const REQUEST_TIMEOUT_MS = 60_000;

const refusedBy = (error: z.ZodError): Rejection =>
  reject(
    'INVALID_REQUEST',
    'the message breaks the protocol',
    error.issues
      .slice(0, 16)
      .map((issue) => ({ field: issue.path.join('.') || 'type', rule: issue.message })),
  );

/** A rejection in the words of the mesh. */
export const refusalOf = ({ code, message, errors }: Rejection): MeshRefusal =>
  errors ? { type: 'refused', code, message, errors } : { type: 'refused', code, message };

/** What a worker says that does not know whether another process has taken its place. */
export const NOT_HELD = reject(
  'RESOURCE_UNAVAILABLE',
  'this worker cannot renew its lease at the moment: try again',
);

/** Serves one protocol: every stream carries one request and gets one reply, a refusal at worst. */
export const servePeer = async <Request>(
  peer: Peer,
  protocol: string,
  options: ServeOptions<Request>,
): Promise<void> => {
  const { artifacts, answer, replied, maxRequestBytes = CONTROL_FRAME_BYTES, onError } = options;

  const receive = async (stream: Stream, admit: (bytes: number) => boolean): Promise<Result<Request>> => {
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(TIMED_OUT), REQUEST_TIMEOUT_MS);
    try {
      const message = await readFrame(stream, admit, deadline.signal);
      const fault = jsonFault(message, 'message');
      if (fault) return rejectField(fault.field, fault.rule);
      const request = options.request.safeParse(message);
      return request.success ? ok(request.data) : refusedBy(request.error);
    } catch (error) {
      if (error instanceof FrameError) return reject('INVALID_REQUEST', error.message);
      throw error;
    } finally {
      clearTimeout(timer);
    }
  };

  const replyTo = async (
    request: Result<Request>,
    connection: Connection,
    gone: AbortSignal,
  ): Promise<object> => {
    if (!request.ok) return refusalOf(request);
    try {
      return await answer(request.value, connection, gone);
    } catch (error) {
      onError(error);
      return refusalOf(reject('INTERNAL_ERROR', 'the request failed inside'));
    }
  };

  const serve = async (stream: Stream, connection: Connection): Promise<void> => {
    let held = 0;
    const gone = new AbortController();
    stream.addEventListener('close', () => gone.abort(new Error('the caller left')), { once: true });
    const admit = (bytes: number): boolean => {
      if (bytes <= maxRequestBytes) return true;
      if (bytes > ARTIFACT_FRAME_BYTES || !artifacts?.mayCarry(connection) || !artifacts.budget.take(bytes))
        return false;
      held = bytes;
      return true;
    };
    try {
      const reply = await replyTo(await receive(stream, admit), connection, gone.signal);
      stream.send(encodeFrame(reply, ARTIFACT_FRAME_BYTES));
      await stream.close();
      replied?.(connection);
    } catch (error) {
      // The caller left or broke the stream: there is nobody to tell.
      stream.abort(error as Error);
    } finally {
      artifacts?.budget.give(held);
    }
  };

  await peer.libp2p.handle(protocol, (stream, connection) => void serve(stream, connection), {
    maxInboundStreams: MAX_STREAMS,
    maxOutboundStreams: MAX_STREAMS,
  });
};
