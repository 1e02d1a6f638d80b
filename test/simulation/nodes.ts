import type { Answer, AskPatiently } from '../../activities/patience.ts';
import { createStandbyActivities } from '../../activities/standby.ts';
import type { Enclave } from '../../domain/enclave/enclave.ts';
import type { EnclaveEvent, EnclaveFailed, EnclaveFault } from '../../domain/enclave/events.ts';
import type { ErrorCode } from '../../domain/errors.ts';
import type { NodeRequest } from '../../domain/mesh/messages.ts';
import { proofIdOf } from '../../domain/proof/proof-id.ts';
import type { MeteredRecord } from '../../domain/proof/record.ts';
import { addSeconds } from '../../domain/time.ts';
import type { Activities, World } from './world.ts';

const HEX = '5'.repeat(64);
const HONEST = 'a'.repeat(64);
const DEVIANT = 'b'.repeat(64);

const failed = (fault: EnclaveFault, code: ErrorCode): EnclaveFailed => ({
  type: 'enclave.failed',
  fault,
  code,
  message: `the node: ${fault}`,
  steps: [{ step: 'node', ok: false, code: fault }],
});

/** Nodes that mostly do as they are told: one in `honesty` steps goes wrong, in every way the engine knows. */
export const nodeActivities = ({ draw, now, lifecycles }: World, honesty: number): Activities => {
  const goesWrong = (): boolean => draw(honesty) === 0;

  const recordOf = (
    enclave: Enclave,
    outcome: MeteredRecord['outcome'],
    outputHash: string,
  ): MeteredRecord => ({
    proofType: 'proof_of_execution',
    version: 2,
    jobId: enclave.jobId,
    enclaveId: enclave.enclaveId,
    providerId: enclave.providerId,
    moduleHash: enclave.codeHash,
    args: enclave.work?.args ?? [],
    inputHash: enclave.work?.inputHash ?? HEX,
    outcome,
    exitCode: outcome === 'exited' ? 0 : null,
    trap: null,
    fuel: { used: outcome === 'fuel_limit' ? 5000 : 1000, limit: 5000 },
    metering: { version: 1, moduleHash: HEX },
    outputHash,
    outputBytes: 3,
    stderrTail: '',
    resources: { cpuMs: 1.5, wallMs: 2.5, peakMemoryBytes: 65_536 },
    startedAt: now(),
    finishedAt: now(),
    reportHash: HEX,
  });

  const attest = (type: 'enclave.attested' | 'enclave.attestation-renewed'): EnclaveEvent[] => {
    if (goesWrong()) return [failed('attestation', 'ATTESTATION_FAILED')];
    const attestedAt = now();
    return [
      {
        type,
        reportHash: HEX,
        measurement: 'c'.repeat(96),
        nonce: HEX,
        label: 'simulated',
        steps: [{ step: 'signature', ok: true, code: 'OK' }],
        attestedAt,
        // Short enough that some enclaves are attested again while they wait or work.
        expiresAt: addSeconds(attestedAt, 20),
      },
    ];
  };

  /** Some are busy, some say nothing; some have accepted what their owners cannot pay for. */
  const ask = async (): Promise<Answer<NodeRequest>> => {
    const answers = [
      { type: 'standing-in' },
      { type: 'refused', code: 'RESOURCE_UNAVAILABLE', message: 'busy' },
      { type: 'silent', message: 'no answer in time' },
      { type: 'lost', message: 'three heartbeats missed' },
    ] as const;
    const reply = goesWrong() ? answers[1 + draw(3)] : answers[0];
    return { reply: reply ?? answers[0], missedHeartbeats: 0, missedInAll: 0 };
  };

  return {
    ...createStandbyActivities({ ask: ask as AskPatiently, lifecycles, mayWin: async () => true }),

    'enclave.createOnNode': async (): Promise<EnclaveEvent[]> => {
      if (!goesWrong()) return [{ type: 'enclave.created', enclaveKey: HEX }];
      const faults = [
        failed('declared', 'RESOURCE_UNAVAILABLE'),
        failed('refusal', 'TEE_UNAVAILABLE'),
        failed('no-show', 'TEE_UNAVAILABLE'),
        failed('lost', 'RESOURCE_UNAVAILABLE'),
      ];
      return [faults[draw(faults.length)] as EnclaveFailed];
    },

    'enclave.attest': async () => attest('enclave.attested'),
    'enclave.reattest': async () => attest('enclave.attestation-renewed'),

    'enclave.runOnNode': async ({ enclave }: { enclave: Enclave }): Promise<EnclaveEvent[]> => {
      if (goesWrong()) return [failed('lost', 'RESOURCE_UNAVAILABLE')];
      const outcome = goesWrong() ? 'fuel_limit' : 'exited';
      const record = recordOf(enclave, outcome, goesWrong() ? DEVIANT : HONEST);
      const missedHeartbeats = goesWrong() ? 2 : 0;
      const proof = { proofId: proofIdOf(record), record };
      return [{ type: 'enclave.run-finished', proof, missedHeartbeats, finishedAt: now() }];
    },

    'enclave.destroyOnNode': async ({ enclave }: { enclave: Enclave }): Promise<EnclaveEvent[]> => [
      { type: 'enclave.destroyed', reason: enclave.destroyReason, confirmed: !goesWrong() },
    ],
  };
};
