import type { Enclave } from '../../../domain/enclave/enclave.ts';
import type {
  EnclaveEvent,
  EnclaveFailed,
  EnclaveFault,
  FaultCause,
} from '../../../domain/enclave/events.ts';
import { ARTEFACT_FIELDS, blameFor } from '../../../domain/enclave/refusal.ts';
import type { ErrorCode, FieldError } from '../../../domain/errors.ts';
import { proofIdOf } from '../../../domain/proof/proof-id.ts';
import type { MeteredRecord } from '../../../domain/proof/record.ts';
import { HEARTBEAT_SECONDS, MISSED_HEARTBEATS } from '../../../domain/tiers.ts';
import { addSeconds } from '../../../domain/time.ts';
import type { Activities } from '../world.ts';
import type { Clock } from './clock.ts';
import { MESSAGE_MS, type Misdeed, type SimulatedNode } from './node.ts';
import type { Workload } from './workload.ts';

const HEX = '5'.repeat(64);
const OUTPUT = 'a'.repeat(64);

/** What a launch, and what a run takes beside its work, ms. */
const LAUNCH_MS = 300;
const RUN_MS = 150;
/** When silence of a node that lives ends the wait for it (activities/enclave.ts). */
const LAUNCH_WINDOW_MS = 30_000;
/** When missed heartbeats tell of a crash. */
const LOST_MS = MISSED_HEARTBEATS * HEARTBEAT_SECONDS * 1000;

const failed = (fault: EnclaveFault, cause: FaultCause, code: ErrorCode): EnclaveFailed => ({
  type: 'enclave.failed',
  fault,
  cause,
  code,
  message: `the node: ${fault}`,
  steps: [],
});

/** A refusal of an order that breaks no rule and whose artefacts the engine has: the product's own judgement. */
const refused = (code: ErrorCode, errors: readonly FieldError[] = []): EnclaveFailed => {
  const { fault, cause } = blameFor({ code, errors, launched: false, order: [], artefacts: true });
  return failed(fault, cause, code);
};

const NO_ARTEFACT = ARTEFACT_FIELDS.slice(0, 1).map((field) => ({ field, rule: 'an artefact within reach' }));

interface Input {
  readonly enclave: Enclave;
}

/** What the engine asks of nodes, answered by those of the simulation. */
export const enclaveActivities = (
  clock: Clock,
  nodeOf: (providerId: string) => SimulatedNode,
  workloads: ReadonlyMap<string, Workload>,
): Activities => {
  const misdeed = async (kind: Misdeed): Promise<EnclaveFailed> => {
    switch (kind) {
      case 'declines':
        return refused('RESOURCE_UNAVAILABLE');
      case 'refuses':
        return refused('INVALID_REQUEST');
      case 'claims-no-artefact':
        return refused('RESOURCE_UNAVAILABLE', NO_ARTEFACT);
      case 'stays-silent':
        await clock.pause(LAUNCH_WINDOW_MS);
        return failed('no-show', 'node', 'TEE_UNAVAILABLE');
      case 'crashes':
        await clock.pause(LOST_MS);
        return failed('lost', 'node', 'RESOURCE_UNAVAILABLE');
    }
  };

  const recordOf = (
    enclave: Enclave,
    ending: Pick<MeteredRecord, 'outcome' | 'exitCode'>,
    used: number | null,
    startedAt: string,
  ): MeteredRecord => {
    const limit = enclave.work?.fuelLimit ?? 1;
    return {
      proofType: 'proof_of_execution',
      version: 2,
      jobId: enclave.jobId,
      enclaveId: enclave.enclaveId,
      providerId: enclave.providerId,
      moduleHash: enclave.codeHash,
      args: enclave.work?.args ?? [],
      inputHash: enclave.work?.inputHash ?? HEX,
      ...ending,
      trap: null,
      fuel: { used, limit },
      metering: { version: 1, moduleHash: HEX },
      outputHash: OUTPUT,
      outputBytes: 3,
      stderrTail: '',
      resources: { cpuMs: 1, wallMs: 1, peakMemoryBytes: 65_536 },
      startedAt,
      finishedAt: clock.now(),
      reportHash: HEX,
    };
  };

  return {
    'enclave.createOnNode': async ({ enclave }: Input): Promise<EnclaveEvent[]> => {
      const node = nodeOf(enclave.providerId);
      await clock.pause(MESSAGE_MS);
      const deed = node.profile.conduct?.launching?.(enclave) ?? null;
      if (deed) return [await misdeed(deed)];
      if (!node.capacity.occupy(enclave.enclaveId, enclave.config.memoryMb, enclave.reservation))
        return [await misdeed('declines')];
      await clock.pause(LAUNCH_MS);
      return [{ type: 'enclave.created', enclaveKey: HEX }];
    },

    'enclave.attest': async (): Promise<EnclaveEvent[]> => {
      await clock.pause(2 * MESSAGE_MS);
      const attestedAt = clock.now();
      return [
        {
          type: 'enclave.attested',
          reportHash: HEX,
          measurement: 'c'.repeat(96),
          nonce: HEX,
          label: 'simulated',
          steps: [{ step: 'signature', ok: true, code: 'OK' }],
          attestedAt,
          expiresAt: addSeconds(attestedAt, 86_400),
        },
      ];
    },

    'enclave.runOnNode': async ({ enclave }: Input): Promise<EnclaveEvent[]> => {
      const { work, jobId, providerId } = enclave;
      const { share, pace = 1 } = workloads.get(jobId ?? '') ?? { share: 1 };
      const startedAt = clock.now();
      const deed = nodeOf(providerId).profile.conduct?.running?.(enclave) ?? null;
      const limitMs = (work?.timeLimitSeconds ?? 0) * 1000;
      if (deed === 'crashes') return [await misdeed('crashes')];
      const takesMs = limitMs * share * pace * (deed?.slower ?? 1);
      const isLate = takesMs > limitMs;
      await clock.pause(RUN_MS + Math.min(takesMs, limitMs));
      // What was done beside the run tells a slow machine from a slow module.
      if (isLate && deed && deed.slower > 1) return [failed('lost', 'node', 'RESOURCE_UNAVAILABLE')];
      const record = isLate
        ? recordOf(enclave, { outcome: 'time_limit', exitCode: null }, null, startedAt)
        : recordOf(
            enclave,
            { outcome: 'exited', exitCode: 0 },
            Math.ceil((work?.fuelLimit ?? 1) * share),
            startedAt,
          );
      return [
        {
          type: 'enclave.run-finished',
          proof: { proofId: proofIdOf(record), record },
          missedHeartbeats: 0,
          missedInAll: 0,
          finishedAt: clock.now(),
        },
      ];
    },

    'enclave.destroyOnNode': async ({ enclave }: Input): Promise<EnclaveEvent[]> => {
      await clock.pause(MESSAGE_MS);
      nodeOf(enclave.providerId).capacity.vacate(enclave.enclaveId);
      return [{ type: 'enclave.destroyed', reason: enclave.destroyReason, confirmed: true }];
    },
  };
};
