import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { ok } from '../../../domain/errors.ts';
import type { Artifact, Uploads } from '../../../domain/ports/artifacts.ts';
import type { Principal } from '../../../infra/keys/credentials.ts';
import { appFor, NOW, PRINCIPALS } from '../../../test/support/api.ts';
import { putArtifact } from './put.ts';

const BYTES = new TextEncoder().encode('an input');
const SHA256 = createHash('sha256').update(BYTES).digest('hex');

/** Uploads that stay half-way until `open` is called, or `next` for the one that came first. */
const gated = () => {
  const gate = Promise.withResolvers<void>();
  const waiting: (() => void)[] = [];
  let under = 0;
  let most = 0;
  const artifacts: Pick<Uploads, 'receive'> = {
    receive: async (bytes) => {
      under += 1;
      most = Math.max(most, under);
      let size = 0;
      for await (const chunk of bytes) size += chunk.length;
      await Promise.race([gate.promise, new Promise<void>((resolve) => waiting.push(resolve))]);
      return {
        sha256: SHA256,
        size,
        head: BYTES,
        read: async () => BYTES,
        keep: async (owner, mediaType) =>
          ok<Artifact>({
            sha256: SHA256,
            owner,
            size,
            mediaType,
            signature: 's',
            createdAt: NOW,
            expiresAt: null,
          }),
        discard: async () => {
          under -= 1;
        },
      };
    },
  };
  const next = async (): Promise<void> => {
    await expect.poll(() => waiting.length).toBeGreaterThan(0);
    waiting.shift()?.();
  };
  return { artifacts, open: gate.resolve, next, most: () => most };
};

const appWith = (artifacts: Pick<Uploads, 'receive'>) => {
  const find = async (name: string): Promise<Principal | null> => ({
    ...(PRINCIPALS['submitter'] as Principal),
    id: `subject-${name}`,
  });
  const { api } = appFor(
    [putArtifact({ artifacts, inspectModule: undefined as never, meteredModules: undefined as never })],
    {
      credentials: {
        byApiKey: find,
        byToken: find,
        byPublicKey: find,
        exists: async () => true,
        forget: () => undefined,
        disable: async () => undefined,
      },
    },
  );
  return async (key: string): Promise<Response> =>
    api.request(`/v1/artifacts/${SHA256}`, { method: 'PUT', headers: { 'x-api-key': key }, body: BYTES });
};

it('takes a bounded number of uploads at once, of each principal and in all, and says when to come again', async () => {
  const { artifacts, open, most } = gated();
  const put = appWith(artifacts);
  const keys = Array.from({ length: 10 }, (_, index) => `key${index}`);
  const answers: Response[] = [];
  const asked = keys.flatMap((key) =>
    Array.from({ length: 5 }, async () => {
      answers.push(await put(key));
    }),
  );
  // Those that find no place, nor one to wait in, are answered while the others are under way.
  await expect.poll(() => answers.length).toBe(14);
  const refusals = { 429: 0, 503: 0 };
  for (const answer of answers) {
    refusals[answer.status as 429 | 503] += 1;
    expect(answer.headers.get('retry-after')).toBe('1');
    expect(await answer.json()).toMatchObject({ code: expect.stringMatching(/RATE_LIMIT|UNAVAILABLE/) });
  }
  expect(Math.min(...Object.values(refusals))).toBeGreaterThan(0);
  open();
  await Promise.all(asked);
  expect(most()).toBe(12);
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(36);
});

it('who stores one thing gets the next place, however many others wait with many', async () => {
  const { artifacts, next } = gated();
  const put = appWith(artifacts);
  const done: string[] = [];
  const ask = (key: string) => put(key).then(({ status }) => done.push(`${key} ${status}`));
  const keys = ['key0', 'key1', 'key2', 'key3'];
  const others = keys.flatMap((key) => Array.from({ length: 4 }, () => ask(key)));
  const own = ask('own');
  // Twelve are under way, and of key3, which has none yet, the first of four comes before it.
  for (let n = 0; n < 14; n++) await next();
  await own;
  expect(done).toHaveLength(14);
  for (let n = 0; n < 3; n++) await next();
  await Promise.all(others);
  expect(done).toHaveLength(17);
});
