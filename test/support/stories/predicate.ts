import type { PredicateEvent } from '../../../domain/predicate/events.ts';
import { at, type Draw, hex, type Story, ulid } from './parts.ts';

const requested = (seed: number): PredicateEvent => ({
  type: 'predicate.requested',
  machineVersion: 1,
  circuitId: hex(seed),
  shape: ['and', ['ge', 0, 8], ['in', 1, 2]],
  constraints: 5400,
  publicInputs: 10,
  requestedBy: `subject-${ulid(seed)}`,
  requestedAt: at(seed),
});

const transcriptOf = (seed: number) =>
  ({
    setup: 'single-party-development',
    curve: 'bn254',
    protocol: 'groth16',
    circuitId: hex(seed),
    sourceHash: hex(1),
    templatesHash: hex(2),
    compiler: 'circom',
    circomlibHash: hex(3),
    prover: 'snarkjs',
    powersOfTau: { power: 13, sha256: hex(4) },
    r1csHash: hex(5),
    circuitHash: hex(6) + hex(6),
    contributions: [{ name: 'development', hash: hex(7) + hex(7) }],
    beacon: null,
    verified: true,
    wasmHash: hex(8),
    zkeyHash: hex(9),
    keyHash: hex(seed + 10),
  }) as const;

/** A circuit that gets its key, perhaps after it failed once. */
export const predicateStory = (seed: number, draw: Draw): Story => {
  const failed: PredicateEvent = {
    type: 'predicate.failed',
    code: 'RESOURCE_UNAVAILABLE',
    message: 'no tools',
  };
  const compiled: PredicateEvent = {
    type: 'predicate.compiled',
    r1csHash: hex(5),
    wasmHash: hex(8),
    constraints: 5390,
    publicInputs: 10,
    compiledAt: at(seed + 1),
  };
  const made: PredicateEvent = {
    type: 'predicate.key-made',
    verificationKey: { protocol: 'groth16', nPublic: 10 },
    transcript: transcriptOf(seed),
    madeAt: at(seed + 2),
  };
  const before: readonly (readonly PredicateEvent[])[] = [
    [],
    [requested(seed), failed],
    [requested(seed), compiled, failed],
  ];
  return {
    stream: `predicate-${ulid(seed)}`,
    events: [...(before[draw(3)] ?? []), requested(seed), compiled, made],
  };
};
