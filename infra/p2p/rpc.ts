import type { Connection, Stream } from '@libp2p/interface';
import { z } from 'zod';
import { ok, type Rejection, type Result, reject, rejectField } from '../../domain/errors.ts';
import type { MeshRefusal } from '../../domain/mesh/messages.ts';
import { jsonFault } from '../../domain/text.ts';
import type { ByteBudget } from './byte-budget.ts';
import { ARTIFACT_FRAME_BYTES, CONTROL_FRAME_BYTES, encodeFrame, FrameError } from './frames.ts';
import { keepIdle, MOST_IDLE_MS, takeIdle } from './idle-streams.ts';
import type { Peer } from './peer.ts';
import { allSent, readFrame, StreamEndedError } from './streams.ts';

/** One request and one reply on a stream that nobody else uses meanwhile: requests never wait for each other. */
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
    deadline.signal.throwIfAborted();
    stream =
      takeIdle(connection, protocol, performance.now()) ??
      (await connection.newStream(protocol, { signal: deadline.signal, maxOutboundStreams: MAX_STREAMS }));
    const maxReplyBytes = options.maxReplyBytes ?? CONTROL_FRAME_BYTES;
    stream.send(frame);
    // A peer may refuse before it has read everything.
    const message = await readFrame(stream, (bytes) => bytes <= maxReplyBytes, deadline.signal);
    const outcome = { ok: true, reply: passed(reply.parse(message)) } as const;
    keepIdle(connection, protocol, stream, performance.now());
    return outcome;
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
/** How long for the next one on the same stream. */
const NEXT_REQUEST_TIMEOUT_MS = MOST_IDLE_MS + REQUEST_TIMEOUT_MS;

/** What was received. A request that was not read to its end leaves its stream of no further use. */
interface Received<Request> {
  readonly request: Result<Request>;
  readonly isWhole: boolean;
}

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

/** Serves one protocol: every stream carries one request after the other, and each gets a reply, a refusal at worst. */
export const servePeer = async <Request>(
  peer: Peer,
  protocol: string,
  options: ServeOptions<Request>,
): Promise<void> => {
  const { artifacts, answer, replied, maxRequestBytes = CONTROL_FRAME_BYTES, onError } = options;

  const receive = async (
    stream: Stream,
    admit: (bytes: number) => boolean,
    limitMs: number,
  ): Promise<Received<Request>> => {
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(TIMED_OUT), limitMs);
    try {
      const message = await readFrame(stream, admit, deadline.signal);
      const fault = jsonFault(message, 'message');
      if (fault) return { request: rejectField(fault.field, fault.rule), isWhole: true };
      const request = options.request.safeParse(message);
      return { request: request.success ? ok(request.data) : refusedBy(request.error), isWhole: true };
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      return { request: reject('INVALID_REQUEST', error.message), isWhole: false };
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

  /** Answers one request: @returns whether the stream is good for another. */
  const serveOne = async (stream: Stream, connection: Connection, limitMs: number): Promise<boolean> => {
    let held = 0;
    const admit = (bytes: number): boolean => {
      if (bytes <= maxRequestBytes) return true;
      if (bytes > ARTIFACT_FRAME_BYTES || !artifacts?.mayCarry(connection) || !artifacts.budget.take(bytes))
        return false;
      held = bytes;
      return true;
    };
    const gone = new AbortController();
    const onClose = (): void => gone.abort(new Error('the caller left'));
    stream.addEventListener('close', onClose);
    try {
      const { request, isWhole } = await receive(stream, admit, limitMs);
      stream.send(encodeFrame(await replyTo(request, connection, gone.signal), ARTIFACT_FRAME_BYTES));
      await allSent(stream);
      replied?.(connection);
      return isWhole;
    } finally {
      stream.removeEventListener('close', onClose);
      artifacts?.budget.give(held);
    }
  };

  const serve = async (stream: Stream, connection: Connection): Promise<void> => {
    try {
      let isOpen = await serveOne(stream, connection, REQUEST_TIMEOUT_MS);
      while (isOpen) isOpen = await serveOne(stream, connection, NEXT_REQUEST_TIMEOUT_MS);
      await stream.close();
    } catch (error) {
      // The caller has no more to ask, left or broke the stream: there is nobody to tell.
      if (error instanceof StreamEndedError && stream.status === 'open')
        await stream.close().catch(() => undefined);
      else stream.abort(error as Error);
    }
  };

  await peer.libp2p.handle(protocol, (stream, connection) => void serve(stream, connection), {
    maxInboundStreams: MAX_STREAMS,
    maxOutboundStreams: MAX_STREAMS,
  });
};
