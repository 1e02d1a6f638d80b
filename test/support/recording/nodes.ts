import { setTimeout as sleep } from 'node:timers/promises';
import { ApplicationFailure } from '@temporalio/common';
import type { AskPatiently } from '../../../activities/patience.ts';
import type { Enclave } from '../../../domain/enclave/enclave.ts';
import type { EnclaveEvent, EnclaveFault } from '../../../domain/enclave/events.ts';
import { proofIdOf } from '../../../domain/proof/proof-id.ts';
import type { UnmeteredRecord } from '../../../domain/proof/record.ts';
import { addMs } from '../../../domain/time.ts';
import { now } from '../open-engine.ts';

/** How a node behaves, where not as it should. */
export interface NodeScript {
  /** Says no when it is asked to come in for another. */
  readonly busy?: true;
  readonly launchFault?: EnclaveFault;
  /** The engine fails whatever it tries to launch. */
  readonly broken?: true;
  readonly runFault?: EnclaveFault;
  readonly outcome?: UnmeteredRecord['outcome'];
  readonly output?: string;
  readonly runMs?: number;
  readonly missedHeartbeats?: number;
  /** How long its attestation is valid, ms. */
  readonly attestedMs?: number;
}

const HEX = '5'.repeat(64);
const HOUR_MS = 3_600_000;

const recordOf = (enclave: Enclave, script: NodeScript): UnmeteredRecord => ({
  proofType: 'proof_of_execution',
  version: 1,
  jobId: enclave.jobId,
  enclaveId: enclave.enclaveId,
  providerId: enclave.providerId,
  moduleHash: enclave.codeHash,
  args: enclave.work?.args ?? [],
  inputHash: enclave.work?.inputHash ?? HEX,
  outcome: script.outcome ?? 'exited',
  exitCode: script.outcome === undefined ? 0 : null,
  outputHash: (script.output ?? 'a').repeat(64),
  outputBytes: 3,
  stderrTail: '',
  resources: { cpuMs: 1.5, wallMs: 2.5, peakMemoryBytes: 65_536 },
  startedAt: now(),
  finishedAt: now(),
  reportHash: HEX,
});

/** Standbys by script, as a worker would have their answers. */
export const scriptedStandbys = (scriptOf: (providerId: string) => NodeScript): AskPatiently =>
  (async (providerId: string) => {
    const busy = { type: 'refused', code: 'RESOURCE_UNAVAILABLE', message: 'scripted: busy' } as const;
    const reply = scriptOf(providerId).busy ? busy : ({ type: 'standing-in' } as const);
    return { reply, missedHeartbeats: 0, missedInAll: 0 };
  }) as AskPatiently;

/** Effects of enclaves by script: what a worker would answer after it had asked their nodes. */
export const scriptedNodes = (scriptOf: (providerId: string) => NodeScript) => {
  const failed = (fault: EnclaveFault): EnclaveEvent[] => [
    { type: 'enclave.failed', fault, code: 'RESOURCE_UNAVAILABLE', message: `scripted: ${fault}`, steps: [] },
  ];
  const attest =
    (type: 'enclave.attested' | 'enclave.attestation-renewed') =>
    async ({ enclave }: { enclave: Enclave }): Promise<EnclaveEvent[]> => {
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
          expiresAt: addMs(attestedAt, scriptOf(enclave.providerId).attestedMs ?? HOUR_MS),
        },
      ];
    };
  return {
    'enclave.createOnNode': async ({ enclave }: { enclave: Enclave }): Promise<EnclaveEvent[]> => {
      const { launchFault, broken } = scriptOf(enclave.providerId);
      if (broken) throw ApplicationFailure.nonRetryable('the database is away');
      return launchFault ? failed(launchFault) : [{ type: 'enclave.created', enclaveKey: HEX }];
    },
    'enclave.attest': attest('enclave.attested'),
    'enclave.reattest': attest('enclave.attestation-renewed'),
    'enclave.runOnNode': async ({ enclave }: { enclave: Enclave }): Promise<EnclaveEvent[]> => {
      const script = scriptOf(enclave.providerId);
      await sleep(script.runMs ?? 0);
      if (script.runFault) return failed(script.runFault);
      const record = recordOf(enclave, script);
      const proof = { proofId: proofIdOf(record), record };
      const { missedHeartbeats = 0 } = script;
      return [{ type: 'enclave.run-finished', proof, missedHeartbeats, finishedAt: now() }];
    },
    'enclave.destroyOnNode': async ({ enclave }: { enclave: Enclave }): Promise<EnclaveEvent[]> => [
      { type: 'enclave.destroyed', reason: enclave.destroyReason, confirmed: true },
    ],
  };
};
