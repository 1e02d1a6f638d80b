import { describe, expect, test } from 'vitest';
import type { AnyMachineSnapshot, AnyStateNode } from 'xstate';
import { getInitialSnapshot } from 'xstate';
import { applyEvent, RefusedEventError, stateName } from './lifecycle.ts';
import { LIFECYCLES } from './registry.ts';

/** A built-in action as XState keeps it: a function with its parameters as members. */
interface BuiltInAction {
  readonly type: string;
  readonly id?: string;
  readonly sendId?: string;
  readonly delay?: unknown;
}

const machines = Object.entries(LIFECYCLES).flatMap(([aggregate, { versions }]) =>
  Object.entries(versions).map(([version, { machine }]) => ({ aggregate, version, machine })),
);

const nodesOf = (node: AnyStateNode): AnyStateNode[] => [
  node,
  ...Object.values(node.states).flatMap((child) => nodesOf(child as AnyStateNode)),
];

const builtIn = (actions: readonly unknown[]): BuiltInAction[] => actions as BuiltInAction[];

describe.each(machines)('$aggregate machine, version $version', ({ machine }) => {
  const nodes = nodesOf(machine.root);

  test('every delayed raise has an id and is cancelled on exit', () => {
    for (const node of nodes) {
      const raised = builtIn(node.entry).filter(({ type }) => type === 'xstate.raise');
      const cancelled = builtIn(node.exit).filter(({ type }) => type === 'xstate.cancel');
      for (const { id, delay } of raised) {
        expect(id, node.id).toBeTypeOf('string');
        expect(delay, node.id).toBeDefined();
      }
      expect(raised.map(({ id }) => id).sort(), node.id).toEqual(
        cancelled.map(({ sendId }) => sendId).sort(),
      );
    }
  });

  test('nothing but domain events moves it', () => {
    for (const node of nodes) {
      expect(node.after, `after in ${node.id}`).toEqual([]);
      expect(node.always ?? [], `always in ${node.id}`).toEqual([]);
      for (const event of node.ownEvents) expect(event, node.id).toMatch(/^[a-z]+\.[a-z-]+$/);
      const transitions = [...node.transitions.values()].flat();
      for (const { actions } of transitions)
        for (const { type } of builtIn(actions)) expect(type, node.id).not.toBe('xstate.raise');
    }
  });

  test('an ended one refuses every event', () => {
    const events = new Set(nodes.flatMap((node) => node.ownEvents));
    for (const node of nodes.filter(({ type, parent }) => type === 'final' && parent === machine.root)) {
      const ended = machine.resolveState({ value: node.key, context: {} }) as AnyMachineSnapshot;
      expect(ended.status).toBe('done');
      for (const type of events) expect(ended.can({ type }), `${node.id} on ${type}`).toBe(false);
    }
  });
});

test('the fold refuses an event that the state does not take', () => {
  const { machine } = LIFECYCLES.auction.versions[1];
  const fresh = getInitialSnapshot(machine) as AnyMachineSnapshot;
  expect(() => applyEvent(machine, fresh, { type: 'auction.closed' })).toThrow(RefusedEventError);
  expect(() => applyEvent(machine, fresh, { type: 'auction.unknown' })).toThrow(/"new" refuses/);
});

test('a nested state goes by its top-level name', () => {
  expect(stateName('open')).toBe('open');
  expect(stateName({ forming: 'replacing' })).toBe('forming');
  expect(() => stateName({})).toThrow();
});
