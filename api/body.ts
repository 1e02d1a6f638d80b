import type { ApiContext } from './environment.ts';
import type { ProblemFacts } from './problem.ts';

export const MAX_JSON_BYTES = 1024 * 1024;

type Read =
  | { readonly ok: true; readonly bytes: Uint8Array }
  | { readonly ok: false; readonly problem: ProblemFacts };

const tooLarge = (maxBytes: number): Read => ({
  ok: false,
  problem: {
    code: 'INVALID_REQUEST',
    status: 413,
    message: 'the body is too large',
    errors: [{ field: 'body', rule: `at most ${maxBytes} bytes` }],
  },
});

/** Reads the body, giving up at the first byte beyond `maxBytes`, whatever Content-Length says. */
export const readBody = async (c: ApiContext, maxBytes: number): Promise<Read> => {
  if (Number(c.req.header('content-length') ?? 0) > maxBytes) return tooLarge(maxBytes);
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of c.req.raw.body ?? []) {
    size += chunk.length;
    if (size > maxBytes) return tooLarge(maxBytes);
    chunks.push(chunk);
  }
  return { ok: true, bytes: Buffer.concat(chunks, size) };
};

const unreadable = (rule: string): ProblemFacts => ({
  code: 'INVALID_REQUEST',
  status: 400,
  message: `the body cannot be read: ${rule}`,
  errors: [{ field: 'body', rule }],
});

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
