import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { ok } from '../../../domain/errors.ts';
import type { Artifact, Uploads } from '../../../domain/ports/artifacts.ts';
import type { Principal } from '../../../infra/keys/credentials.ts';
import { appFor, NOW, PRINCIPALS } from '../../../test/support/api.ts';
import { putArtifact } from './put.ts';

const BYTES = new TextEncoder().encode('an input');
const SHA256 = createHash('sha256').update(BYTES).digest('hex');

/** Uploads that stay half-way until `open` is called. */
const gated = () => {
  const gate = Promise.withResolvers<void>();
  let under = 0;
  let most = 0;
  const artifacts: Pick<Uploads, 'receive'> = {
    receive: async (bytes) => {
      under += 1;
      most = Math.max(most, under);
      let size = 0;
      for await (const chunk of bytes) size += chunk.length;
      await gate.promise;
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
  return { artifacts, open: gate.resolve, most: () => most };
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
  const keys = Array.from({ length: 6 }, (_, index) => `key${index}`);
  const asked = keys.flatMap((key) => Array.from({ length: 6 }, () => put(key)));
  // Those that find no place are answered while the others are under way.
  const refused = await Promise.race([
    Promise.all(asked.slice(4, 6)),
    Promise.all(asked).then(() => {
      throw new Error('all were taken');
    }),
  ]);
  expect(refused.map(({ status }) => status)).toEqual([429, 429]);
  const beyond = await asked[35];
  expect(beyond?.status).toBe(503);
  for (const answer of [...refused, beyond]) {
    expect(answer?.headers.get('retry-after')).toBe('1');
    expect(await answer?.json()).toMatchObject({ code: expect.stringMatching(/RATE_LIMIT|UNAVAILABLE/) });
  }
  open();
  const statuses = (await Promise.all(asked)).map(({ status }) => status);
  expect([most(), statuses.filter((status) => status === 200).length]).toEqual([12, 12]);
  expect((await put('key5')).status).toBe(200);
});
