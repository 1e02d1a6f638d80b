import { Readable } from 'node:stream';
import { release } from '../infra/memory/release.ts';
import type { ByteBudget } from '../infra/p2p/byte-budget.ts';
import type { ApiContext } from './environment.ts';
import type { ProblemFacts } from './problem.ts';

export const MAX_JSON_BYTES = 1024 * 1024;
/** What bodies that are being read may take together. */
export const MAX_BODIES_BYTES = 8 * 1024 * 1024;
/** What a piece of a body costs beside its bytes. */
const PIECE_BYTES = 512;

const TOO_MANY: ProblemFacts = {
  code: 'RESOURCE_UNAVAILABLE',
  message: 'too many requests are being read at once; see Retry-After',
};

type Read =
  | { readonly ok: true; readonly bytes: Uint8Array }
  | { readonly ok: false; readonly problem: ProblemFacts };

const tooLarge = (maxBytes: number): ProblemFacts => ({
  code: 'INVALID_REQUEST',
  status: 413,
  message: 'the body is too large',
  errors: [{ field: 'body', rule: `at most ${maxBytes} bytes` }],
});

const unreadable = (rule: string): ProblemFacts => ({
  code: 'INVALID_REQUEST',
  status: 400,
  message: `the body cannot be read: ${rule}`,
  errors: [{ field: 'body', rule }],
});

/** The caller's body ended in the middle, or went on for too long. `problem` says which. */
export class BodyError extends Error {
  override name = 'BodyError';
  readonly problem: ProblemFacts;
  constructor(problem: ProblemFacts) {
    super(problem.message);
    this.problem = problem;
  }
}

/**
 * Pieces as the parser of HTTP made them, no further ahead than its own buffer. The web stream of the request would copy each,
 * twice around, and leave the first to the collector. What is not read stays with the connection, which is answered first.
 */
const piecesOf = (c: ApiContext): AsyncIterable<Uint8Array> | null => {
  const incoming: unknown = c.env?.incoming;
  return incoming instanceof Readable ? incoming.iterator({ destroyOnReturn: false }) : c.req.raw.body;
};

/**
 * The body as it arrives, up to `maxBytes` of it, whatever Content-Length says. Whoever takes it may release its pieces.
 * @throws BodyError in the middle of it.
 */
export async function* streamBody(c: ApiContext, maxBytes: number): AsyncIterable<Uint8Array> {
  const pieces = piecesOf(c)?.[Symbol.asyncIterator]();
  if (!pieces) return;
  let size = 0;
  try {
    for (;;) {
      const { done, value } = await pieces.next().catch(() => {
        throw new BodyError(unreadable('a whole one'));
      });
      if (done) return;
      size += value.length;
      if (size > maxBytes) throw new BodyError(tooLarge(maxBytes));
      yield value;
    }
  } finally {
    // Whoever stops reading in the middle wants no more of it.
    pieces.return?.().catch(() => undefined);
  }
}

/** Refuses a body whose Content-Length says already that it is too large. */
export const declaredTooLarge = (c: ApiContext, maxBytes: number): ProblemFacts | null =>
  Number(c.req.header('content-length') ?? 0) > maxBytes ? tooLarge(maxBytes) : null;

/** Reads the body, giving up at the first byte beyond `maxBytes`, or when all bodies that are being read take too much. */
export const readBody = async (c: ApiContext, maxBytes: number, budget: ByteBudget): Promise<Read> => {
  const problem = declaredTooLarge(c, maxBytes);
  if (problem) return { ok: false, problem };
  const chunks: Uint8Array[] = [];
  let taken = 0;
  try {
    for await (const chunk of streamBody(c, maxBytes)) {
      const cost = chunk.length + PIECE_BYTES;
      if (!budget.take(cost)) return { ok: false, problem: TOO_MANY };
      taken += cost;
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof BodyError) return { ok: false, problem: error.problem };
    throw error;
  } finally {
    budget.give(taken);
  }
  const bytes = Buffer.concat(chunks);
  release(...chunks);
  return { ok: true, bytes };
};

const strictUtf8 = new TextDecoder('utf-8', { fatal: true });

/** The JSON in `bytes`; no body reads as an empty object. */
export const parseJson = (
  bytes: Uint8Array,
  mediaType: string | undefined,
):
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly problem: ProblemFacts } => {
  if (bytes.length === 0) return { ok: true, value: {} };
  if (mediaType !== undefined && !/^application\/(json|[\w.-]+\+json)\s*(;|$)/i.test(mediaType)) {
    return { ok: false, problem: unreadable('Content-Type application/json') };
  }
  try {
    return { ok: true, value: JSON.parse(strictUtf8.decode(bytes)) };
  } catch {
    return { ok: false, problem: unreadable('JSON in UTF-8') };
  }
};
