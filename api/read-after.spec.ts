import { expect, it } from 'vitest';
import { ok, reject } from '../domain/errors.ts';
import { findWritten } from './read-after.ts';

/** Read models that show what was written once they are waited for. */
const behindLog = (written: readonly string[], reaches = true) => {
  let shown: readonly string[] = [];
  const waited: bigint[] = [];
  return {
    waited,
    look: async () => shown.at(-1) ?? null,
    deps: {
      store: { head: async () => ({ position: 7n, hash: '' }) },
      checkpoints: {
        waitFor: async (position: bigint) => {
          waited.push(position);
          if (!reaches) return reject('RESOURCE_UNAVAILABLE', 'not yet');
          shown = written;
          return { ok: true } as const;
        },
      },
    },
  };
};

it('finds what was written a moment ago, and waits for nothing else', async () => {
  const { deps, look, waited } = behindLog(['provider-1']);
  expect(await findWritten(deps, ['providers'], look)).toEqual(ok('provider-1'));
  expect(await findWritten(deps, ['providers'], look)).toEqual(ok('provider-1'));
  expect(waited).toEqual([7n]);
});

it('finds nothing where there is nothing', async () => {
  const { deps, look, waited } = behindLog([]);
  expect(await findWritten(deps, ['providers'], look)).toEqual(ok(null));
  expect(waited).toEqual([7n]);
});

it('does not take what read models do not show yet for what is not there', async () => {
  const { deps, look } = behindLog(['provider-1'], false);
  expect(await findWritten(deps, ['providers'], look)).toMatchObject({
    ok: false,
    code: 'RESOURCE_UNAVAILABLE',
  });
});
