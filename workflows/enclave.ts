import type { Enclave } from '../domain/enclave/enclave.ts';
import type { EnclaveDestroyed, EnclaveFailed, EnclaveFault } from '../domain/enclave/events.ts';
import type { ErrorCode } from '../domain/errors.ts';
import { runLifecycle } from './host.ts';
import { type ActivityEffect, type LifecycleInput, lifecycleOf, type Policies } from './lifecycle.ts';

export type EnclaveReport = Pick<
  Enclave,
  'enclaveId' | 'providerId' | 'label' | 'attestation' | 'result' | 'failure'
>;

/** Asked once by the activity itself, which tells a silent node from a refusal; Temporal repeats only what crashed. */
const RETRY = {
  initialInterval: '200 milliseconds',
  maximumInterval: '5 seconds',
  maximumAttempts: 30,
} as const;

/** A run of weeks outlives any number of workers; what ends it when nothing helps is its job's own limit. */
const RETRY_RUN = { initialInterval: '200 milliseconds', maximumInterval: '5 seconds' } as const;

const failed =
  (fault: EnclaveFault, code: ErrorCode) =>
  (_: unknown, message: string): EnclaveFailed[] => [
    { type: 'enclave.failed', fault, code, message, steps: [] },
  ];

/**
 * What an effect has failed of after all retries is the engine: what a node does or leaves undone is an answer of the
 * activity. So it is nobody's fault, and no evidence.
 */
const stopped =
  (code: ErrorCode) =>
  (_: unknown, message: string): EnclaveFailed[] => [
    { type: 'enclave.failed', fault: 'stopped', cause: 'engine', code, message, steps: [] },
  ];

const onNode = (
  startToCloseTimeout: ActivityEffect<never>['options']['startToCloseTimeout'] & string,
  whenFailed: ActivityEffect<never>['failed'],
  retry: ActivityEffect<never>['options']['retry'] & object = RETRY,
): ActivityEffect<never> => ({
  kind: 'activity',
  local: false,
  options: { startToCloseTimeout, heartbeatTimeout: '15 seconds', retry },
  failed: whenFailed,
});

/** Mostly answered in a second. */
const promptly = (effect: ActivityEffect<never>): ActivityEffect<never> => ({ ...effect, prompt: 3 });

/** Version 1: an attestation is not renewed, and the node is blamed for what the engine could not do. */
const version1: Policies = {
  effects: {
    createOnNode: promptly(onNode('60 seconds', failed('no-show', 'TEE_UNAVAILABLE'))),
    attest: promptly(onNode('60 seconds', failed('attestation', 'ATTESTATION_FAILED'))),
    runOnNode: onNode('31 days', failed('lost', 'RESOURCE_UNAVAILABLE'), RETRY_RUN),
    destroyOnNode: promptly(
      onNode('30 seconds', (): EnclaveDestroyed[] => [
        { type: 'enclave.destroyed', reason: 'out of reach', confirmed: false },
      ]),
    ),
  },
  report: ({ enclaveId, providerId, label, attestation, result, failure }: Enclave): EnclaveReport => ({
    enclaveId,
    providerId,
    label,
    attestation,
    result,
    failure,
  }),
};

/** Version 2 renews attestations. */
const version2: Policies = {
  ...version1,
  effects: { ...version1.effects, reattest: onNode('60 seconds', failed('lost', 'RESOURCE_UNAVAILABLE')) },
};

const version3: Policies = {
  ...version2,
  effects: {
    ...version2.effects,
    createOnNode: promptly(onNode('60 seconds', stopped('TEE_UNAVAILABLE'))),
    attest: promptly(onNode('60 seconds', stopped('RESOURCE_UNAVAILABLE'))),
    reattest: onNode('60 seconds', stopped('RESOURCE_UNAVAILABLE')),
    // Little work is done as soon as that, and a node that is asked again goes on with it.
    runOnNode: { ...onNode('31 days', stopped('RESOURCE_UNAVAILABLE'), RETRY_RUN), prompt: 4 },
  },
};

export const enclaveLifecycle = lifecycleOf('enclave', {
  1: version1,
  2: version2,
  3: version3,
  4: version3,
});

/** One enclave on one node, from request to destruction. */
export const enclave = (input: LifecycleInput) => runLifecycle(enclaveLifecycle, input);
