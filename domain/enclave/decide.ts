import type { SnapshotFrom } from 'xstate';
import { accept, type Decision, type DecisionContext } from '../decision.ts';
import { reject } from '../errors.ts';
import { stateName } from '../lifecycle.ts';
import { addSeconds } from '../time.ts';
import type { CreateEnclave, EnclaveCommand } from './commands.ts';
import type { EnclaveEvent } from './events.ts';
import { configErrors } from './limits.ts';
import { ENCLAVE_VERSION, type enclaveMachine } from './machine.ts';
import type { enclaveMachineV1 } from './machine-v1.ts';
import { rentOf } from './rent.ts';

/** What a decision asks of the state; every version of the machine answers it. */
interface Snapshot {
  readonly value: unknown;
  readonly can: (event: EnclaveEvent) => boolean;
}

const decideAt = (
  version: number,
  snapshot: Snapshot,
  command: EnclaveCommand,
  ctx: DecisionContext,
): Decision<EnclaveEvent> => {
  switch (command.type) {
    case 'create':
      return create(version, snapshot, command, ctx);
    case 'run': {
      const event = { type: 'enclave.run-started', work: command.work, startedAt: ctx.now } as const;
      if (snapshot.can(event)) return accept(event);
      return reject('CONFLICT', `the enclave is ${stateName(snapshot.value)}, not attested and idle`);
    }
    case 'destroy':
      return stop(version, snapshot, command.reason, ctx);
    case 'deadline':
      return command.id === 'renewal' ? renew(snapshot, ctx) : stop(version, snapshot, 'expired', ctx);
  }
};

/** Rules over commands of an enclave. */
export const decide = (
  snapshot: SnapshotFrom<typeof enclaveMachine>,
  command: EnclaveCommand,
  ctx: DecisionContext,
): Decision<EnclaveEvent> => decideAt(ENCLAVE_VERSION, snapshot, command, ctx);

/** The same for streams of version 3. */
export const decideV3: typeof decide = (snapshot, command, ctx) => decideAt(3, snapshot, command, ctx);

/** The same for streams of version 2. */
export const decideV2: typeof decide = (snapshot, command, ctx) => decideAt(2, snapshot, command, ctx);

/** The same for streams of version 1. */
export const decideV1 = (
  snapshot: SnapshotFrom<typeof enclaveMachineV1>,
  command: EnclaveCommand,
  ctx: DecisionContext,
): Decision<EnclaveEvent> => decideAt(1, snapshot, command, ctx);

const renew = (snapshot: Snapshot, ctx: DecisionContext): Decision<EnclaveEvent> => {
  const event = { type: 'enclave.renewal-started', startedAt: ctx.now } as const;
  if (snapshot.can(event)) return accept(event);
  return reject('CONFLICT', `the enclave is ${stateName(snapshot.value)}`);
};

/** Ends an enclave that has no result yet. It is nobody's fault: the job that owned it ended first. */
const stop = (
  version: number,
  snapshot: Snapshot,
  reason: string,
  ctx: DecisionContext,
): Decision<EnclaveEvent> => {
  const event = {
    type: 'enclave.failed',
    fault: 'stopped',
    code: 'CONFLICT',
    message: reason,
    steps: [],
    ...(version > 2 && { endedAt: ctx.now }),
  } as const;
  return snapshot.can(event)
    ? accept(event)
    : reject('CONFLICT', `the enclave is ${stateName(snapshot.value)}`);
};

/** Names of a request for what a configuration calls differently. */
const REQUEST_FIELDS: Readonly<Record<string, string>> = { memoryMb: 'memory_mb', cpuCores: 'cpu_cores' };

const create = (
  version: number,
  snapshot: Snapshot,
  command: CreateEnclave,
  ctx: DecisionContext,
): Decision<EnclaveEvent> => {
  if (stateName(snapshot.value) !== 'new') return reject('CONFLICT', 'this enclave exists already');
  if (command.platform !== 'amd_sev_snp') {
    return reject('UNSUPPORTED_PLATFORM', `no node offers ${command.platform}`, [
      { field: 'platform', rule: 'one of the platforms a node offers: amd_sev_snp' },
    ]);
  }
  const errors = configErrors(command.config).map(({ field, rule }) => ({
    field: REQUEST_FIELDS[field] ?? field,
    rule,
  }));
  if (errors.length > 0)
    return reject('INVALID_REQUEST', 'the enclave is larger than any node may offer', errors);
  const { type: _, lifetimeSeconds, ...facts } = command;
  return accept({
    type: 'enclave.requested',
    machineVersion: version,
    ...facts,
    // A job has paid for its enclaves.
    ...(version > 2 && command.jobId === null && { rent: rentOf(command.config, lifetimeSeconds) }),
    requestedAt: ctx.now,
    expiresAt: addSeconds(ctx.now, lifetimeSeconds),
  });
};
