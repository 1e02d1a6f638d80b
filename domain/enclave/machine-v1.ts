import { assign, cancel, raise, setup } from 'xstate';
import { type DeadlineRaised, effect } from '../lifecycle.ts';
import { msBetween } from '../time.ts';
import { attested, blank, type Enclave, failed, requested } from './enclave.ts';
import type { EnclaveEvent } from './events.ts';

/**
 * Version 1, which streams of that version keep: an attestation is not renewed.
 *
 * An enclave on one node: created, attested, given one piece of work, destroyed. Whatever goes wrong, it is destroyed
 * before anybody is told (saga compensation, R39).
 */
export const enclaveMachineV1 = setup({
  types: { context: {} as Enclave, events: {} as EnclaveEvent | DeadlineRaised },
  actors: {
    createOnNode: effect<{ enclave: Enclave }>(),
    attest: effect<{ enclave: Enclave }>(),
    runOnNode: effect<{ enclave: Enclave }>(),
    destroyOnNode: effect<{ enclave: Enclave }>(),
  },
  delays: { lifetime: ({ context }) => msBetween(context.requestedAt, context.expiresAt) },
}).createMachine({
  id: 'enclave',
  initial: 'new',
  context: blank,
  states: {
    new: {
      on: {
        'enclave.requested': { target: 'initializing', actions: assign(({ event }) => requested(event)) },
      },
    },
    initializing: {
      invoke: { id: 'create', src: 'createOnNode', input: ({ context }) => ({ enclave: context }) },
      on: {
        'enclave.created': {
          target: 'created',
          actions: assign(({ context, event }) => ({
            enclaveKey: event.enclaveKey,
            events: context.events + 1,
          })),
        },
        'enclave.failed': {
          target: 'destroying',
          actions: assign(({ context, event }) => failed(context, event)),
        },
      },
    },
    created: {
      invoke: { id: 'attest', src: 'attest', input: ({ context }) => ({ enclave: context }) },
      on: {
        'enclave.attested': {
          target: 'attested',
          actions: assign(({ context, event }) => attested(context, event)),
        },
        'enclave.failed': {
          target: 'destroying',
          actions: assign(({ context, event }) => failed(context, event)),
        },
      },
    },
    attested: {
      tags: ['report'],
      entry: raise({ type: 'deadline', id: 'expiry' }, { id: 'expiry', delay: 'lifetime' }),
      exit: cancel('expiry'),
      on: {
        'enclave.run-started': {
          target: 'running',
          actions: assign(({ context, event }) => ({ work: event.work, events: context.events + 1 })),
        },
        'enclave.failed': {
          target: 'destroying',
          actions: assign(({ context, event }) => failed(context, event)),
        },
      },
    },
    running: {
      invoke: { id: 'run', src: 'runOnNode', input: ({ context }) => ({ enclave: context }) },
      on: {
        'enclave.run-finished': {
          target: 'finished',
          actions: assign(({ context, event }) => ({
            result: { proof: event.proof, missedHeartbeats: event.missedHeartbeats },
            destroyReason: 'work done',
            events: context.events + 1,
          })),
        },
        'enclave.failed': {
          target: 'destroying',
          actions: assign(({ context, event }) => failed(context, event)),
        },
      },
    },
    finished: {
      tags: ['report'],
      invoke: { id: 'destroy', src: 'destroyOnNode', input: ({ context }) => ({ enclave: context }) },
      on: { 'enclave.destroyed': 'terminated' },
    },
    destroying: {
      invoke: { id: 'destroy', src: 'destroyOnNode', input: ({ context }) => ({ enclave: context }) },
      on: { 'enclave.destroyed': 'error' },
    },
    terminated: { type: 'final' },
    error: { type: 'final', tags: ['report'] },
  },
});
