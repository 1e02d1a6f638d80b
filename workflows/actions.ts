import type { MachineAction } from '../domain/lifecycle.ts';
import type { Ask } from '../domain/ports/journal.ts';
import type { RunningEffect } from './lifecycle.ts';

/** Something a machine asked for, and the event after which it did. */
export interface Asked {
  readonly action: MachineAction;
  readonly revision: number;
  /** RFC 3339: when that event occurred. */
  readonly occurredAt: string;
}

export const cancelledBy = (actions: readonly MachineAction[]): string[] =>
  actions
    .filter(({ type }) => type === 'xstate.cancel')
    .map(({ params }) => (params as { readonly sendId: string }).sendId);

export const stoppedBy = (actions: readonly MachineAction[]): string[] =>
  actions
    .filter(({ type }) => type === 'xstate.stopChild')
    .map(({ params }) => (params as { readonly id: string }).id);

/** What an action begins or ends: `timer close`, `effect award`. */
const subjectOf = ({ type, params }: MachineAction): string => {
  const { id, sendId } = params as { readonly id: string; readonly sendId: string };
  switch (type) {
    case 'xstate.raise':
      return `timer ${id}`;
    case 'xstate.cancel':
      return `timer ${sendId}`;
    default:
      return `effect ${id}`;
  }
};

const BEGINNINGS = new Set(['xstate.raise', 'xstate.spawnChild']);

/** What is left to do of the actions of many events: what was begun and has ended among them was done by others. */
export const remaining = (asked: readonly Asked[]): Asked[] => {
  const later = new Set<string>();
  return asked
    .toReversed()
    .filter(({ action }) => {
      const subject = subjectOf(action);
      const isOver = later.has(subject) && BEGINNINGS.has(action.type);
      later.add(subject);
      return !isOver;
    })
    .toReversed();
};

/** What `actions` begin and end, in words that a fingerprint covers; `contentOf` tells what an effect is given. */
export const asksOf = (
  actions: readonly MachineAction[],
  contentOf: (effect: RunningEffect) => unknown,
): Ask[] =>
  actions.map((action): Ask => {
    const { id, src, input, delay = null } = action.params as RunningEffect & { readonly delay?: number };
    switch (action.type) {
      case 'xstate.raise':
        return ['timer', id, delay];
      case 'xstate.spawnChild':
        return ['effect', id, src, contentOf({ id, src, input })];
      default:
        return ['end', subjectOf(action)];
    }
  });
