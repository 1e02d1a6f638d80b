import { assign, cancel, raise, setup } from 'xstate';
import { type DeadlineRaised, effect } from '../lifecycle.ts';
import { msBetween } from '../time.ts';
import { attested, blank, cutShort, type Enclave, failed, rentedTo, requested } from './enclave.ts';
import type { EnclaveEvent, EnclaveRunFinished } from './events.ts';
import { renewalDueAt } from './renewal.ts';

export const ENCLAVE_VERSION = 4;

interface Context extends Enclave {
  /** When an event last started something: what delays count from. */
  readonly since: string;
  /** When the run began, by the engine's clock; since version 3. */
  readonly runStartedAt?: string;
}

const untilRenewal = ({ attestation, since }: Context): number =>
  attestation === null ? 0 : Math.max(0, msBetween(since, renewalDueAt(attestation)));

/** The times of a run, which its job judges it by (settled 43): version 2 kept none. */
const timesOf = (
  version: number,
  { runStartedAt }: Context,
  { missedInAll, finishedAt }: EnclaveRunFinished,
) =>
  version < 3 || runStartedAt === undefined
    ? {}
    : { startedAt: runStartedAt, finishedAt, ...(missedInAll !== undefined && { missedInAll }) };

const machineOf = (version: number) => {
  const machine = setup({
    types: { context: {} as Context, events: {} as EnclaveEvent | DeadlineRaised },
    actors: {
      createOnNode: effect<{ enclave: Enclave }>(),
      attest: effect<{ enclave: Enclave }>(),
      reattest: effect<{ enclave: Enclave }>(),
      runOnNode: effect<{ enclave: Enclave }>(),
      destroyOnNode: effect<{ enclave: Enclave }>(),
    },
    actions: {
      fold: assign(({ context, event }): Partial<Context> => {
        const events = context.events + 1;
        switch (event.type) {
          case 'enclave.requested':
            return { ...requested(event), since: event.requestedAt };
          case 'enclave.created':
            return { enclaveKey: event.enclaveKey, events };
          case 'enclave.attested':
          case 'enclave.attestation-renewed':
            return { ...attested(context, event), since: event.attestedAt };
          case 'enclave.renewal-started':
            return { since: event.startedAt, events };
          case 'enclave.run-started':
            return {
              work: event.work,
              since: event.startedAt,
              ...(version > 2 && { runStartedAt: event.startedAt }),
              events,
            };
          case 'enclave.run-finished': {
            const { proof, missedHeartbeats, finishedAt } = event;
            const ended = rentedTo(context, finishedAt);
            const result = { proof, missedHeartbeats, ...timesOf(version, context, event) };
            return { result, destroyReason: 'work done', ...ended, events };
          }
          case 'enclave.failed':
            return { ...failed(context, event), ...(version > 3 && cutShort(context, event)) };
          default:
            return { events };
        }
      }),
    },
    delays: {
      lifetime: ({ context }) => msBetween(context.requestedAt, context.expiresAt),
      renewal: ({ context }) => untilRenewal(context),
    },
  });

  /** The attestation of a live enclave: valid until it is renewed. Whatever the enclave does meanwhile goes on. */
  const valid = machine.createStateConfig({
    entry: raise({ type: 'deadline', id: 'renewal' }, { id: 'renewal', delay: 'renewal' }),
    exit: cancel('renewal'),
    on: { 'enclave.renewal-started': { target: 'renewing', actions: 'fold' } },
  });
  const renewing = machine.createStateConfig({
    invoke: { id: 'reattest', src: 'reattest', input: ({ context }) => ({ enclave: context }) },
    on: { 'enclave.attestation-renewed': { target: 'valid', actions: 'fold' } },
  });

  return machine.createMachine({
    id: 'enclave',
    initial: 'new',
    context: { ...blank, since: '' },
    states: {
      new: { on: { 'enclave.requested': { target: 'initializing', actions: 'fold' } } },
      initializing: {
        invoke: { id: 'create', src: 'createOnNode', input: ({ context }) => ({ enclave: context }) },
        on: {
          'enclave.created': { target: 'created', actions: 'fold' },
          'enclave.failed': { target: 'destroying', actions: 'fold' },
        },
      },
      created: {
        invoke: { id: 'attest', src: 'attest', input: ({ context }) => ({ enclave: context }) },
        on: {
          'enclave.attested': { target: 'attested', actions: 'fold' },
          'enclave.failed': { target: 'destroying', actions: 'fold' },
        },
      },
      attested: {
        tags: ['report'],
        entry: raise({ type: 'deadline', id: 'expiry' }, { id: 'expiry', delay: 'lifetime' }),
        exit: cancel('expiry'),
        initial: 'valid',
        states: { valid, renewing },
        on: {
          'enclave.run-started': { target: 'running', actions: 'fold' },
          'enclave.failed': { target: 'destroying', actions: 'fold' },
        },
      },
      running: {
        invoke: { id: 'run', src: 'runOnNode', input: ({ context }) => ({ enclave: context }) },
        initial: 'valid',
        states: { valid, renewing },
        on: {
          'enclave.run-finished': { target: 'finished', actions: 'fold' },
          'enclave.failed': { target: 'destroying', actions: 'fold' },
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
};

/**
 * An enclave on one node: created, attested, given one piece of work, destroyed. Its attestation is renewed before it
 * expires. Whatever goes wrong, it is destroyed before anybody is told (saga compensation, R39).
 */
export const enclaveMachine = machineOf(ENCLAVE_VERSION);

/** Version 3: who ends an enclave before it stands pays nothing. */
export const enclaveMachineV3 = machineOf(3);

/** Version 2: another thing is meant by an effect that failed for good, too (workflows/enclave.ts). */
export const enclaveMachineV2 = machineOf(2);
