import { expect, it } from 'vitest';
import { reject } from '../../../domain/errors.ts';
import type { Session } from '../../../projections/projection.ts';
import { createOpenCircuit } from './under-way.ts';

/** A read model that counts what was opened, once it is waited for. */
const model = () => {
  const opened: string[] = [];
  const counted: string[] = [];
  const db = {
    query: async (_text: string, [principal]: string[]) => ({
      rows: [{ own: counted.filter((each) => each === principal).length, all: counted.length }],
    }),
  } as unknown as Session;
  const checkpoints = {
    waitFor: async () => {
      counted.splice(0, counted.length, ...opened);
      return { ok: true as const };
    },
  };
  const open = createOpenCircuit({ db, checkpoints });
  const ask = (principal: string) =>
    open(principal, async () => {
      opened.push(principal);
      return { ok: true as const, position: '1', state: 'compiling' } as never;
    });
  return { ask, opened, open, finish: () => void counted.splice(0) };
};

it('opens two for each and eight in all, whoever asks at once; the others are told to come again', async () => {
  const { ask, opened, finish } = model();
  const own = await Promise.all(['a', 'a', 'a', 'a'].map(ask));
  expect(own.map((refused) => refused?.code)).toEqual([
    undefined,
    undefined,
    'RATE_LIMIT_EXCEEDED',
    'RATE_LIMIT_EXCEEDED',
  ]);
  const all = await Promise.all(['b', 'b', 'c', 'c', 'd', 'd', 'e', 'f'].map(ask));
  expect(all.map((refused) => refused?.code ?? 'opened').filter((code) => code === 'opened')).toHaveLength(6);
  expect(all.at(-1)).toMatchObject({ code: 'RESOURCE_UNAVAILABLE' });
  expect(opened).toHaveLength(8);
  finish();
  expect(await ask('e')).toBeNull();
});

it('hands on a refusal, and goes on after a failure', async () => {
  const { ask, open } = model();
  expect(await open('a', async () => reject('CONFLICT', 'it is there'))).toMatchObject({ code: 'CONFLICT' });
  await expect(open('a', () => Promise.reject(new Error('away')))).rejects.toThrow('away');
  expect(await ask('a')).toBeNull();
});
