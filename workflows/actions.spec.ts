import { describe, expect, it } from 'vitest';
import { cancelledBy, remaining, stoppedBy } from './actions.ts';

const raise = (id: string) => ({ type: 'xstate.raise', params: { id, delay: 1 } });
const cancel = (sendId: string) => ({ type: 'xstate.cancel', params: { sendId } });
const start = (id: string) => ({ type: 'xstate.spawnChild', params: { id, src: id, input: null } });
const stop = (id: string) => ({ type: 'xstate.stopChild', params: { id } });
const asked = (...actions: ReturnType<typeof raise | typeof cancel>[]) =>
  actions.map((action, revision) => ({ action, revision, occurredAt: `at ${revision}` }));

describe('what is left to do', () => {
  it('of timers: the one armed last, and none that was disarmed', () => {
    const all = asked(raise('close'), cancel('close'), raise('close'), raise('other'), cancel('other'));
    expect(remaining(all)).toEqual([all[1], all[2], all[4]]);
  });

  it('of effects: those started last, and none that was stopped', () => {
    const all = asked(
      start('run') as never,
      stop('run') as never,
      start('prove') as never,
      start('prove') as never,
    );
    expect(remaining(all)).toEqual([all[1], all[3]]);
  });

  it('a timer and an effect of one name are two things', () => {
    const all = asked(raise('run'), stop('run') as never);
    expect(remaining(all)).toEqual(all);
  });
});

it('tells what actions end', () => {
  const actions = [raise('a'), cancel('b'), start('c'), stop('d')];
  expect([cancelledBy(actions), stoppedBy(actions)]).toEqual([['b'], ['d']]);
});
