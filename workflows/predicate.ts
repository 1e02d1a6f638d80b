import type { PredicateFailed } from '../domain/predicate/events.ts';
import type { PredicateCircuit } from '../domain/predicate/machine.ts';
import { runLifecycle } from './host.ts';
import { type ActivityEffect, type LifecycleInput, lifecycleOf, type Policies } from './lifecycle.ts';

interface Input {
  readonly circuit: PredicateCircuit;
}

const failed = (_: Input, message: string): PredicateFailed[] => [
  { type: 'predicate.failed', code: 'RESOURCE_UNAVAILABLE', message },
];

/** Minutes of processor time in a process of its own; what was made is found again when an attempt is repeated. */
const effect: ActivityEffect<Input> = {
  kind: 'activity',
  local: false,
  options: {
    startToCloseTimeout: '30 minutes',
    // The worker tells every 5 seconds; a slower one that is taken for lost is waited for, not doubled.
    heartbeatTimeout: '20 seconds',
    retry: { initialInterval: '1 second', maximumInterval: '30 seconds', maximumAttempts: 5 },
  },
  failed,
};

const policies: Policies = {
  effects: { compile: effect, setUp: effect },
};

export const predicateLifecycle = lifecycleOf('predicate', { 1: policies });

/** One circuit, from the first predicate that needs it to its key. */
export const predicate = (input: LifecycleInput) => runLifecycle(predicateLifecycle, input);
