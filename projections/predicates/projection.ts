import type { PredicateEvent } from '../../domain/predicate/events.ts';
import { rowProjection } from '../row-model.ts';
import { type PredicateRow, predicatesTable } from './table.ts';

/** One row per circuit: how far it is, and its key. */
export const predicates = rowProjection<PredicateEvent, PredicateRow, 'predicate.requested'>({
  name: 'predicates',
  version: 1,
  table: predicatesTable,
  first: 'predicate.requested',
  create: (requested, { stream }) => ({
    stream,
    circuitId: requested.circuitId,
    shape: requested.shape,
    state: 'compiling',
    constraints: requested.constraints,
    publicInputs: requested.publicInputs,
    requestedBy: requested.requestedBy,
    requestedAt: requested.requestedAt,
    compiledAt: null,
    readyAt: null,
    keyHash: null,
    verificationKey: null,
    transcript: null,
    failure: null,
  }),
  on: {
    'predicate.compiled': (_, { constraints, compiledAt }) => ({
      state: 'setting-up',
      constraints,
      compiledAt,
    }),
    'predicate.key-made': (_, { verificationKey, transcript, madeAt }) => ({
      state: 'ready',
      verificationKey,
      transcript,
      keyHash: transcript.keyHash,
      readyAt: madeAt,
    }),
    'predicate.failed': (_, { message }) => ({ state: 'failed', failure: message }),
  },
});
