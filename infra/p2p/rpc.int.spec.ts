import { randomBytes } from 'node:crypto';
import type { Connection } from '@libp2p/interface';
import { multiaddr } from '@multiformats/multiaddr';
import { Uint8ArrayList } from 'uint8arraylist';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { MAX_ARTIFACT_BYTES } from '../../domain/ports/artifacts.ts';
import { shownTextOf } from '../../domain/schema.ts';
import { createByteBudget } from './byte-budget.ts';
import { ARTIFACT_FRAME_BYTES, encodeFrame } from './frames.ts';
import { createPeer, type Peer, peerIdOf, remotePublicKey } from './peer.ts';
import { callPeer, refusalOf, type ServeOptions, servePeer } from './rpc.ts';
import { readFrame } from './streams.ts';

const PROTOCOL = '/aivillage/agent-communication/1.0.0';
const echoSchema = z.object({ type: z.literal('echo'), text: z.string() });
const replySchema = z.object({ type: z.string(), code: z.string().optional(), text: z.string().optional() });

const peers: Peer[] = [];
const startPeer = async (listen: readonly string[] = []): Promise<Peer> => {
  const peer = await createPeer({ seed: randomBytes(32), listen });
  peers.push(peer);
  return peer;
};

afterEach(async () => {
  await Promise.all(peers.splice(0).map((peer) => peer.stop()));
});

const connect = async (
  serve: Partial<ServeOptions<z.infer<typeof echoSchema>>> = {},
): Promise<{ client: Peer; server: Peer; connection: Connection; errors: unknown[] }> => {
  const errors: unknown[] = [];
  const server = await startPeer(['/ip4/127.0.0.1/tcp/0']);
  const client = await startPeer();
  await servePeer(server, PROTOCOL, {
    request: echoSchema,
    answer: async (request) => request,
    onError: (error) => errors.push(error),
    ...serve,
  });
  const connection = await client.libp2p.dial(multiaddr(server.addresses()[0]));
  return { client, server, connection, errors };
};

const call = (connection: Connection, request: object, timeoutMs = 10_000, signal?: AbortSignal) =>
  callPeer(connection, PROTOCOL, request, replySchema, signal ? { timeoutMs, signal } : { timeoutMs });

describe('request and response over a stream', () => {
  it('answers many requests at once, each with its own reply', async () => {
    const { connection } = await connect();
    const texts = Array.from({ length: 100 }, (_, index) => `text ${index}`);
    const outcomes = await Promise.all(texts.map((text) => call(connection, { type: 'echo', text })));
    expect(outcomes).toEqual(texts.map((text) => ({ ok: true, reply: { type: 'echo', text } })));
  });

  it('R100: knows the caller by the Ed25519 key that Noise proved', async () => {
    let caller: string | null = null;
    const { client, connection } = await connect({
      answer: async (request, from) => {
        caller = remotePublicKey(from);
        return request;
      },
    });
    await call(connection, { type: 'echo', text: '' });
    expect(caller).toBe(client.publicKey);
    expect(connection.encryption).toBe('/noise');
    expect(connection.multiplexer).toBe('/yamux/1.0.0');
  });

  it('lets no slow request hold up a fast one', async () => {
    const gate = Promise.withResolvers<void>();
    const { connection } = await connect({
      answer: async (request) => {
        if (request.text === 'slow') await gate.promise;
        return request;
      },
    });
    const slow = call(connection, { type: 'echo', text: 'slow' });
    expect(await call(connection, { type: 'echo', text: 'fast' })).toMatchObject({ ok: true });
    gate.resolve();
    expect(await slow).toMatchObject({ ok: true, reply: { text: 'slow' } });
  });

  it('asks one request after the other on the same stream, and at once on several', async () => {
    const { connection } = await connect();
    const streams = () => connection.streams.filter(({ protocol }) => protocol === PROTOCOL);
    const ids = () => streams().map(({ id }) => id);
    await call(connection, { type: 'echo', text: 'first' });
    const [kept] = ids();
    for (const text of ['second', 'third'])
      expect(await call(connection, { type: 'echo', text })).toMatchObject({ ok: true, reply: { text } });
    expect(ids()).toEqual([kept]);
    await Promise.all(Array.from({ length: 40 }, () => call(connection, { type: 'echo', text: '' })));
    await expect.poll(() => ids().length).toBe(16);
  });

  it('asks again on a stream of its own when one broke, and leaves none behind whose reply was no good', async () => {
    let isMalformed = false;
    const { connection } = await connect({
      answer: async (request) => (isMalformed ? { type: 7 } : request),
    });
    const streams = () => connection.streams.filter(({ protocol }) => protocol === PROTOCOL);
    await call(connection, { type: 'echo', text: '' });
    streams()[0]?.abort(new Error('broken'));
    expect(await call(connection, { type: 'echo', text: 'next' })).toMatchObject({ reply: { text: 'next' } });
    isMalformed = true;
    expect(await call(connection, { type: 'echo', text: '' })).toMatchObject({ failure: 'malformed' });
    expect(streams()).toEqual([]);
    isMalformed = false;
    expect(await call(connection, { type: 'echo', text: 'last' })).toMatchObject({ reply: { text: 'last' } });
  });

  it('takes one request at a time: who sends more than one is refused, and served no more', async () => {
    let served = 0;
    const { connection } = await connect({
      answer: async (request) => {
        served++;
        return request;
      },
    });
    const stream = await connection.newStream(PROTOCOL);
    const frame = encodeFrame({ type: 'echo', text: '' }, 1024).subarray();
    stream.send(new Uint8ArrayList(frame, frame, frame.subarray(0, 3)));
    const reply = await readFrame(stream, () => true, AbortSignal.timeout(10_000));
    expect(reply).toMatchObject({ type: 'refused', code: 'INVALID_REQUEST' });
    await expect.poll(() => stream.remoteWriteStatus).toBe('closed');
    expect(served).toBe(0);
  });

  it('tells who answers that its caller left, of the request under way and of no later one', async () => {
    const signals: AbortSignal[] = [];
    const { connection } = await connect({
      answer: (request, _, gone) => {
        signals.push(gone);
        return request.text === 'wait' ? new Promise(() => undefined) : Promise.resolve(request);
      },
    });
    await call(connection, { type: 'echo', text: '' });
    expect(await call(connection, { type: 'echo', text: 'wait' }, 50)).toMatchObject({ failure: 'timeout' });
    await expect.poll(() => signals.map(({ aborted }) => aborted)).toEqual([false, true]);
  });

  it('gives up after its time-out', async () => {
    const { connection } = await connect({ answer: () => new Promise(() => undefined) });
    expect(await call(connection, { type: 'echo', text: '' }, 50)).toMatchObject({
      ok: false,
      failure: 'timeout',
    });
  });

  it('stops when the caller aborts, also before it began', async () => {
    const { connection } = await connect({ answer: () => new Promise(() => undefined) });
    const abort = new AbortController();
    const pending = call(connection, { type: 'echo', text: '' }, 10_000, abort.signal);
    abort.abort();
    expect(await pending).toMatchObject({ ok: false, failure: 'aborted' });
    expect(await call(connection, { type: 'echo', text: '' }, 10_000, abort.signal)).toMatchObject({
      failure: 'aborted',
    });
  });

  it('reports a connection that closes under a request', async () => {
    const asked = Promise.withResolvers<void>();
    const { connection } = await connect({
      answer: () => {
        asked.resolve();
        return new Promise(() => undefined);
      },
    });
    const pending = call(connection, { type: 'echo', text: '' });
    await asked.promise;
    connection.abort(new Error('cable cut'));
    expect(await pending).toMatchObject({ ok: false, failure: 'closed' });
    expect(await call(connection, { type: 'echo', text: '' })).toMatchObject({
      ok: false,
      failure: 'closed',
    });
  });

  it.each([
    [{ text: 'a\0b' }, 'text', 'no character U+0000'],
    [{ text: '\ud800' }, 'text', 'well-formed Unicode: no half of a surrogate pair'],
    [{ text: '', more: [[[{ name: '\0' }]]] }, 'more.0.0.0.name', 'no character U+0000'],
  ])(
    'refuses a message with text that nobody could store, whatever the schema lets through',
    async (rest, field, rule) => {
      let served = 0;
      const { connection } = await connect({
        answer: async (request) => {
          served++;
          return request;
        },
      });
      expect(
        await callPeer(connection, PROTOCOL, { type: 'echo', ...rest }, z.unknown(), { timeoutMs: 10_000 }),
      ).toMatchObject({
        ok: true,
        reply: { type: 'refused', code: 'INVALID_REQUEST', errors: [{ field, rule }] },
      });
      expect(served).toBe(0);
    },
  );

  it('takes a reply with such text for none, unless its schema mends it', async () => {
    const { connection } = await connect({ answer: async () => ({ type: 'echo', text: 'a\0b' }) });
    expect(await call(connection, { type: 'echo', text: '' })).toMatchObject({ failure: 'malformed' });
    const mending = z.object({ text: shownTextOf(10) });
    const options = { timeoutMs: 10_000 };
    expect(await callPeer(connection, PROTOCOL, { type: 'echo', text: '' }, mending, options)).toEqual({
      ok: true,
      reply: { text: 'a\ufffdb' },
    });
  });

  it('refuses a message outside the schema and names field and rule', async () => {
    const { connection } = await connect();
    const outcome = await callPeer(connection, PROTOCOL, { type: 'echo', text: 7 }, z.looseObject({}), {
      timeoutMs: 10_000,
    });
    expect(outcome).toMatchObject({
      ok: true,
      reply: { type: 'refused', code: 'INVALID_REQUEST', errors: [{ field: 'text' }] },
    });
  });

  it('keeps the inside of a failure to itself', async () => {
    const { connection, errors } = await connect({ answer: () => Promise.reject(new Error('the secret')) });
    const outcome = await call(connection, { type: 'echo', text: '' });
    expect(outcome).toMatchObject({ ok: true, reply: { type: 'refused', code: 'INTERNAL_ERROR' } });
    expect(JSON.stringify(outcome)).not.toContain('secret');
    expect(errors).toEqual([new Error('the secret')]);
  });

  it('calls a reply outside the schema malformed', async () => {
    const { connection } = await connect({ answer: async () => ({ type: 7 }) });
    expect(await call(connection, { type: 'echo', text: '' })).toMatchObject({
      ok: false,
      failure: 'malformed',
    });
  });

  it('names the protocol that a peer does not speak', async () => {
    const { connection } = await connect();
    const outcome = await callPeer(connection, '/aivillage/none/1.0.0', {}, replySchema, {
      timeoutMs: 10_000,
    });
    expect(outcome).toMatchObject({
      ok: false,
      failure: 'closed',
      message: expect.stringContaining('UnsupportedProtocol'),
    });
  });

  it('passes coded refusals through', async () => {
    const refusal = refusalOf({
      ok: false,
      code: 'CONFLICT',
      message: 'twice',
      errors: [{ field: 'a', rule: 'once' }],
    });
    const { connection } = await connect({ answer: async () => refusal });
    expect(await call(connection, { type: 'echo', text: '' })).toMatchObject({
      ok: true,
      reply: { code: 'CONFLICT' },
    });
  });
});

describe('large frames', () => {
  const artifact = (bytes: number) => ({ type: 'echo', text: 'A'.repeat(bytes) });

  it('are refused from callers who may not carry artefacts, before their bytes are buffered', async () => {
    const { connection } = await connect();
    const outcome = await call(connection, artifact(8 * 1024 * 1024));
    expect(outcome).toMatchObject({ ok: true, reply: { type: 'refused', code: 'INVALID_REQUEST' } });
  });

  it('are refused while the budget is spent and pass when it is given back', async () => {
    const gate = Promise.withResolvers<void>();
    const arrived = Promise.withResolvers<void>();
    const { connection } = await connect({
      artifacts: { mayCarry: () => true, budget: createByteBudget(1024 * 1024) },
      answer: async () => {
        arrived.resolve();
        await gate.promise;
        return { type: 'done' };
      },
    });
    const first = call(connection, artifact(700 * 1024));
    await arrived.promise;
    expect(await call(connection, artifact(700 * 1024))).toMatchObject({
      reply: { code: 'INVALID_REQUEST' },
    });
    gate.resolve();
    expect(await first).toMatchObject({ reply: { type: 'done' } });
    expect(await call(connection, artifact(700 * 1024))).toMatchObject({ reply: { type: 'done' } });
  });

  it('carry the largest artefact both ways', { timeout: 60_000 }, async () => {
    const { connection } = await connect({
      artifacts: { mayCarry: () => true, budget: createByteBudget(ARTIFACT_FRAME_BYTES) },
    });
    const text = Buffer.alloc(MAX_ARTIFACT_BYTES, 7).toString('base64url');
    const outcome = await callPeer(connection, PROTOCOL, { type: 'echo', text }, replySchema, {
      timeoutMs: 60_000,
      maxReplyBytes: ARTIFACT_FRAME_BYTES,
    });
    expect(outcome.ok && outcome.reply.text === text).toBe(true);
  });
});

describe('identity', () => {
  it('refuses a peer that answers under another key than the address names', async () => {
    const server = await startPeer(['/ip4/127.0.0.1/tcp/0']);
    const client = await startPeer();
    const [address] = server.addresses() as [string];
    const impostor = address.replace(server.peerId, await peerIdOf(randomBytes(32)));
    await expect(client.libp2p.dial(multiaddr(impostor))).rejects.toThrow();
    expect(client.libp2p.getConnections()).toEqual([]);
  });

  it('derives the peer id from the seed', async () => {
    const seed = randomBytes(32);
    const peer = await createPeer({ seed });
    peers.push(peer);
    expect(await peerIdOf(seed)).toBe(peer.peerId);
  });
});
