import type { Enclave } from '../domain/enclave/enclave.ts';
import type { EnclaveDestroyed, EnclaveFailed, EnclaveFault } from '../domain/enclave/events.ts';
import type { ErrorCode } from '../domain/errors.ts';
import { LIFECYCLES } from '../domain/registry.ts';
import { runLifecycle } from './host.ts';
import type { ActivityEffect, Lifecycle, LifecycleInput } from './lifecycle.ts';

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

const failed =
  (fault: EnclaveFault, code: ErrorCode) =>
  (_: unknown, message: string): EnclaveFailed[] => [
    { type: 'enclave.failed', fault, code, message, steps: [] },
  ];

const onNode = (
  startToCloseTimeout: ActivityEffect<never>['options']['startToCloseTimeout'] & string,
  whenFailed: ActivityEffect<never>['failed'],
): ActivityEffect<never> => ({
  kind: 'activity',
  local: false,
  options: { startToCloseTimeout, heartbeatTimeout: '15 seconds', retry: RETRY },
  failed: whenFailed,
});

export const enclaveLifecycle: Lifecycle = {
  aggregate: 'enclave',
  family: LIFECYCLES.enclave,
  effects: {
    createOnNode: onNode('60 seconds', failed('no-show', 'TEE_UNAVAILABLE')),
    attest: onNode('60 seconds', failed('attestation', 'ATTESTATION_FAILED')),
    // The node may have crashed as well as lied: out of reach is no fault of the report.
    reattest: onNode('60 seconds', failed('lost', 'RESOURCE_UNAVAILABLE')),
    runOnNode: onNode('31 days', failed('lost', 'RESOURCE_UNAVAILABLE')),
    destroyOnNode: onNode('30 seconds', (): EnclaveDestroyed[] => [
      { type: 'enclave.destroyed', reason: 'out of reach', confirmed: false },
    ]),
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

/** One enclave on one node, from request to destruction. */
export const enclave = (input: LifecycleInput) => runLifecycle(enclaveLifecycle, input);
