import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { ok } from '../../../domain/errors.ts';
import { METERING_VERSION } from '../../../domain/metering/costs.ts';
import type { Artifact, Artifacts, Uploads } from '../../../domain/ports/artifacts.ts';
import type { MeteredModule, MeteredModules } from '../../../domain/ports/metered-modules.ts';
import type { Principal } from '../../../infra/keys/credentials.ts';
import { appFor, NOW, PRINCIPALS } from '../../../test/support/api.ts';
import { putArtifact } from './put.ts';

const BYTES = new TextEncoder().encode('an input');
const SHA256 = createHash('sha256').update(BYTES).digest('hex');

const artifactOf = (owner: string, mediaType: string): Artifact => ({
  sha256: SHA256,
  owner,
  size: BYTES.length,
  mediaType,
  signature: 's',
  createdAt: NOW,
  expiresAt: null,
});

/** Uploads that stay half-way until `open` is called, or `next` for the one that came first. */
const gated = () => {
  const gate = Promise.withResolvers<void>();
  const waiting: (() => void)[] = [];
  let under = 0;
  let most = 0;
  const artifacts: Pick<Uploads, 'receive'> & Pick<Artifacts, 'find'> = {
    find: async () => null,
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
        keep: async (owner, mediaType) => ok(artifactOf(owner, mediaType)),
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

type Deps = Parameters<typeof putArtifact>[0];

const appWith = ({ artifacts, ...deps }: Pick<Deps, 'artifacts'> & Partial<Deps>) => {
  const find = async (name: string): Promise<Principal | null> => ({
    ...(PRINCIPALS['submitter'] as Principal),
    id: `subject-${name}`,
  });
  const { api } = appFor(
    [
      putArtifact({
        inspectModule: undefined as never,
        meteredModules: undefined as never,
        artifacts,
        ...deps,
      }),
    ],
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
  return async (key: string, mediaType = 'application/octet-stream'): Promise<Response> =>
    api.request(`/v1/artifacts/${SHA256}`, {
      method: 'PUT',
      headers: { 'x-api-key': key, 'content-type': mediaType },
      body: BYTES,
    });
};

it('takes a bounded number of uploads at once, of each principal and in all, and says when to come again', async () => {
  const { artifacts, open, most } = gated();
  const put = appWith({ artifacts });
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
  const put = appWith({ artifacts });
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

it('inspects a module again for whoever has not stored it, and not for who has', async () => {
  const kept = new Map<string, Artifact>();
  const records = new Map<number, MeteredModule>();
  let inspections = 0;
  const { artifacts: gate, open } = gated();
  open();
  const put = appWith({
    artifacts: {
      find: async (_, owner) => kept.get(owner) ?? null,
      receive: async (bytes, sha256) => ({
        ...(await gate.receive(bytes, sha256)),
        keep: async (owner, mediaType) => {
          kept.set(owner, artifactOf(owner, mediaType));
          return ok(artifactOf(owner, mediaType));
        },
      }),
    },
    inspectModule: async () => {
      inspections += 1;
      return ok({ version: METERING_VERSION, moduleHash: 'ab'.repeat(32) });
    },
    meteredModules: {
      find: async (_, version) => records.get(version) ?? null,
      record: async (sha256, metering) => {
        const record = { sha256, metering, signature: 's' };
        records.set(metering.version, record);
        return record;
      },
    } satisfies MeteredModules,
  });
  const answers: unknown[] = [];
  for (const key of ['one', 'one', 'two', 'two']) {
    const answer = await put(key, 'application/wasm');
    expect(answer.status).toBe(200);
    answers.push([inspections, ((await answer.json()) as { metering: unknown }).metering]);
  }
  const metering = (answers[0] as [number, unknown])[1];
  expect(metering).toBeTruthy();
  expect(answers).toEqual([1, 1, 2, 2].map((count) => [count, metering]));
});
