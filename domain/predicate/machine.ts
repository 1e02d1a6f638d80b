import { assign, setup } from 'xstate';
import type { ErrorCode } from '../errors.ts';
import { effect } from '../lifecycle.ts';
import type {
  PredicateCompiled,
  PredicateEvent,
  PredicateFailed,
  PredicateKeyMade,
  PredicateRequested,
} from './events.ts';
import type { Shape } from './ir.ts';
import type { Transcript } from './transcript.ts';

export const PREDICATE_VERSION = 1;

/** A circuit on its way to a key. */
export interface PredicateCircuit {
  readonly circuitId: string;
  readonly shape: Shape | null;
  readonly constraints: number;
  readonly publicInputs: number;
  readonly requestedBy: string;
  readonly requestedAt: string;
  readonly compiled: Omit<PredicateCompiled, 'type'> | null;
  readonly key: {
    readonly verificationKey: Readonly<Record<string, unknown>>;
    readonly transcript: Transcript;
  } | null;
  readonly failure: { readonly code: ErrorCode; readonly message: string } | null;
}

const blank: PredicateCircuit = {
  circuitId: '',
  shape: null,
  constraints: 0,
  publicInputs: 0,
  requestedBy: '',
  requestedAt: '',
  compiled: null,
  key: null,
  failure: null,
};

const requested = ({ type: _, machineVersion: __, ...facts }: PredicateRequested): PredicateCircuit => ({
  ...blank,
  ...facts,
});

const compiled = ({ type: _, ...facts }: PredicateCompiled): Partial<PredicateCircuit> => ({
  compiled: facts,
  constraints: facts.constraints,
});

const keyMade = ({ verificationKey, transcript }: PredicateKeyMade): Partial<PredicateCircuit> => ({
  key: { verificationKey, transcript },
});

const failed = ({ code, message }: PredicateFailed): Partial<PredicateCircuit> => ({
  failure: { code, message },
});

/** A circuit, compiled and given its key once; what failed may be asked for again. */
export const predicateMachine = setup({
  types: { context: {} as PredicateCircuit, events: {} as PredicateEvent },
  actors: {
    compile: effect<{ circuit: PredicateCircuit }>(),
    setUp: effect<{ circuit: PredicateCircuit }>(),
  },
}).createMachine({
  id: 'predicate',
  initial: 'new',
  context: blank,
  states: {
    new: {
      on: {
        'predicate.requested': { target: 'compiling', actions: assign(({ event }) => requested(event)) },
      },
    },
    compiling: {
      invoke: { id: 'compile', src: 'compile', input: ({ context }) => ({ circuit: context }) },
      on: {
        'predicate.compiled': { target: 'setting-up', actions: assign(({ event }) => compiled(event)) },
        'predicate.failed': { target: 'failed', actions: assign(({ event }) => failed(event)) },
      },
    },
    'setting-up': {
      invoke: { id: 'set-up', src: 'setUp', input: ({ context }) => ({ circuit: context }) },
      on: {
        'predicate.key-made': { target: 'ready', actions: assign(({ event }) => keyMade(event)) },
        'predicate.failed': { target: 'failed', actions: assign(({ event }) => failed(event)) },
      },
    },
    failed: {
      on: {
        'predicate.requested': { target: 'compiling', actions: assign(({ event }) => requested(event)) },
      },
    },
    ready: { type: 'final' },
  },
});
