import { expect, test } from 'vitest';
import type { AnyMachineSnapshot } from 'xstate';
import { generator } from '../../domain/auction/market.fixture.ts';
import type { DomainEvent } from '../../domain/event.ts';
import { applyEvent, type LifecycleVersion, stateName } from '../../domain/lifecycle.ts';
import { epochMs, instant } from '../../domain/time.ts';
import type { LifecycleAt, RunningEffect } from '../../workflows/lifecycle.ts';
import { play } from './scenario.ts';

/** A lifecycle that nobody talks to any more: it has its deadlines and what it asked for. */
interface Alone {
  readonly snapshot: AnyMachineSnapshot;
  /** Due instant in epoch ms by id. */
  readonly timers: ReadonlyMap<string, number>;
  readonly effects: ReadonlyMap<string, RunningEffect>;
  readonly now: number;
}

/** Longest way to an end by deadlines and failing effects: extended, closed, opened in vain. */
const BOUND = 6;
const HISTORIES = 150;

const after = (
  version: LifecycleVersion,
  from: Alone,
  now: number,
  events: readonly DomainEvent[],
): Alone => {
  const timers = new Map(from.timers);
  const effects = new Map(from.effects);
  let { snapshot } = from;
  for (const event of events) {
    const [next, actions] = applyEvent(version.machine, snapshot, event);
    snapshot = next;
    for (const { type, params } of actions as readonly { type: string; params: unknown }[]) {
      const { id, sendId, src, input, delay } = params as RunningEffect & { sendId: string; delay: number };
      if (type === 'xstate.raise') timers.set(id, now + delay);
      else if (type === 'xstate.cancel') timers.delete(sendId);
      else if (type === 'xstate.spawnChild') effects.set(id, { id, src, input });
      else if (type === 'xstate.stopChild') effects.delete(id);
    }
  }
  return { snapshot, timers, effects, now };
};

/** What can happen without anybody's help: a deadline passes, or an effect fails for good. */
function* moves(lifecycle: LifecycleAt, from: Alone): Generator<Alone> {
  const { version } = lifecycle;
  for (const [id, dueAt] of from.timers) {
    const now = Math.max(from.now, dueAt);
    const at = instant(now);
    const command = { type: 'deadline', id, dueAt: at };
    const decision = version.decide(from.snapshot, command, { now: at, actor: 'engine' });
    const timers = new Map(from.timers);
    timers.delete(id);
    if (decision.ok) yield after(version, { ...from, timers }, now, decision.events);
  }
  for (const { src, input } of from.effects.values()) {
    const policy = lifecycle.effects[src];
    const events = policy?.kind === 'activity' ? policy.failed(input as never, 'gone') : [];
    const [first] = events;
    if (first && from.snapshot.can(first)) yield after(version, from, from.now, events);
  }
}

const ends = (lifecycle: LifecycleAt, from: Alone, bound: number): boolean => {
  if (from.snapshot.status === 'done') return true;
  if (bound === 0) return false;
  return moves(lifecycle, from).some((next) => ends(lifecycle, next, bound - 1));
};

test('liveness: from every state reached, deadlines and failing effects alone lead to an end', async () => {
  const reached = new Set<string>();
  for (let seed = 0; seed < HISTORIES; seed++) {
    const random = generator(seed);
    const world = await play((below) => Math.floor(random() * below), 0);
    const checked = new Map<string, number>();
    while ((await world.run(1)) > 0) {
      for (const { lifecycle, snapshot, timers, effects, stream, revision } of world.hosts.values()) {
        if (checked.get(stream) === revision) continue;
        checked.set(stream, revision);
        const alone = { snapshot, timers, effects, now: epochMs(world.now()) };
        const state = JSON.stringify(snapshot.value);
        reached
          .add(`${lifecycle.aggregate} ${state}`)
          .add(`${lifecycle.aggregate} ${stateName(snapshot.value)}`);
        expect(ends(lifecycle, alone, BOUND), `${stream}: ${state}`).toBe(true);
      }
    }
  }
  // The walks have to come by every state in which a lifecycle waits.
  for (const state of [
    'auction open',
    'auction opening',
    'auction awarded',
    'quorum formed',
    'quorum reforming',
    'enclave initializing',
    'enclave created',
    'enclave {"attested":"valid"}',
    'enclave {"attested":"renewing"}',
    'enclave {"running":"valid"}',
    'enclave {"running":"renewing"}',
    'enclave finished',
    'enclave destroying',
    'job quoted',
    'job {"auctioning":"waiting"}',
    'job {"auctioning":"taking"}',
    'job {"forming":"first"}',
    'job {"forming":"replacing"}',
    'job launching',
    'job running',
    'job proving',
    'job settling',
  ])
    expect(reached, state).toContain(state);
});
