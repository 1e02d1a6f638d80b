import { generateKeyPairSync, sign } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { measurementOf, moduleSha384, reportData } from '../../domain/enclave/measurement.ts';
import { METERING_VERSION } from '../../domain/metering/costs.ts';
import { instrument } from '../../domain/metering/instrument.ts';
import { proofIdOf, signedBytesOf } from '../../domain/proof/proof-id.ts';
import type { ExecutionProof, ExecutionRecord } from '../../domain/proof/record.ts';
import {
  CONFIG,
  enclaveKey,
  METERING,
  MODULE,
  machine,
  NONCE,
  NOW,
  proofOf,
  sha256,
  unmeteredProofOf,
} from '../../test/support/execution-proof.ts';
import { fromBase64Url, toBase64Url } from './bytes.ts';
import { type ProofContext, verifyExecutionProof } from './index.ts';

const context: ProofContext = { roots: machine.roots, now: NOW, policy: { allowSimulated: true } };
const failures = async (proof: unknown, given: Partial<ProofContext> = {}): Promise<string[]> => {
  const { valid, reasons } = await verifyExecutionProof(proof, { ...context, ...given });
  const failed = reasons.filter((step) => !step.ok).map(({ step, code }) => `${step} ${code}`);
  expect(valid).toBe(failed.length === 0);
  return failed;
};

describe('verifyExecutionProof', () => {
  it('R43: accepts an honest proof of execution, by value and after a trip through JSON', async () => {
    const proof = proofOf();
    expect(await failures(proof)).toEqual([]);
    expect(await failures(JSON.parse(JSON.stringify(proof)))).toEqual([]);
    expect(await verifyExecutionProof(proof, context)).toMatchObject({ valid: true, platform: 'simulated' });
    expect(JSON.stringify(proof).length).toBeLessThan(10_000);
  });

  it('R18: finds the same id with an altered body invalid', async () => {
    const proof = proofOf();
    const altered = { ...proof, record: { ...proof.record, exitCode: 1 } };
    expect(await failures(altered)).toEqual(['id ID_MISMATCH', 'signature BAD_SIGNATURE']);
    const renamed = { ...altered, proofId: proofIdOf(altered.record) };
    expect(await failures(renamed)).toEqual(['signature BAD_SIGNATURE']);
  });

  it('finds every altered field of the record invalid', async () => {
    const proof = proofOf();
    for (const name of Object.keys(proof.record) as (keyof ExecutionRecord)[]) {
      const value = proof.record[name];
      const other =
        typeof value === 'number' ? value + 1 : typeof value === 'string' ? `${value}0` : ['other'];
      expect(await failures({ ...proof, record: { ...proof.record, [name]: other } })).not.toEqual([]);
    }
  });

  it('finds another signature, key, nonce, configuration, module or report invalid, each with its code', async () => {
    const proof = proofOf();
    const { attestation } = proof;
    const change = (part: Partial<ExecutionProof['attestation']>) =>
      failures({ ...proof, attestation: { ...attestation, ...part } });
    const other = generateKeyPairSync('ed25519');
    const forged = toBase64Url(sign(null, signedBytesOf(proof.record), other.privateKey));
    expect(await failures({ ...proof, signature: forged })).toEqual(['signature BAD_SIGNATURE']);
    const otherKey = Buffer.from(other.publicKey.export({ format: 'jwk' }).x ?? '', 'base64url').toString(
      'hex',
    );
    expect(await failures({ ...proof, enclaveKey: otherKey, signature: forged })).toEqual([
      'attestation.report-data REPORT_DATA_MISMATCH',
    ]);
    // Not canonical: the last two characters carry bits that no byte has.
    expect(await failures({ ...proof, signature: 'AB' })).toEqual(['signature BAD_SIGNATURE']);
    expect(await change({ report: 'AB' })).toContain('attestation.format MALFORMED');
    expect(await change({ certificates: ['AB', 'AB', 'AB'] })).toContain('attestation.format BAD_COLLATERAL');
    expect(await change({ nonce: 'cd'.repeat(32) })).toEqual([
      'attestation.report-data REPORT_DATA_MISMATCH',
    ]);
    expect(await change({ config: { ...CONFIG, memoryMb: 128 } })).toEqual([
      'attestation.measurement MEASUREMENT_MISMATCH',
    ]);
    expect(await change({ moduleSha384: '00'.repeat(48) })).toEqual([
      'attestation.measurement MEASUREMENT_MISMATCH',
    ]);
    const foreign = await machine.platform.quote({
      measurement: measurementOf(moduleSha384(MODULE), CONFIG),
      reportData: reportData(NONCE, enclaveKey),
    });
    expect(await change({ report: toBase64Url(foreign.report) })).toEqual(['report REPORT_MISMATCH']);
  });

  it('is refused under a hardware policy, an unknown root and an expired chain', async () => {
    expect(await failures(proofOf(), { policy: {} })).toEqual(['attestation.platform SIMULATED_PLATFORM']);
    expect(await failures(proofOf(), { roots: [] })).toContain('attestation.chain UNKNOWN_ROOT');
    expect(await failures(proofOf(), { now: '2034-01-01T00:00:00Z' })).toContain(
      'attestation.validity EXPIRED',
    );
  });

  it('judges times and outcome', async () => {
    expect(await failures(proofOf({ finishedAt: '2026-03-01T11:58:00.000Z' }))).toEqual([
      'time TIMES_INCONSISTENT',
    ]);
    expect(await failures(proofOf({ finishedAt: '2026-03-01T12:01:00.001Z' }))).toEqual([
      'time FROM_THE_FUTURE',
    ]);
    const policy = { allowSimulated: true, maximumAgeSeconds: 58 };
    expect(await failures(proofOf(), { policy })).toEqual(['time TOO_OLD']);
    expect(await failures(proofOf(), { policy: { ...policy, maximumAgeSeconds: 59 } })).toEqual([]);
    expect(await failures(proofOf({ exitCode: null }))).toEqual(['outcome OUTCOME_INCONSISTENT']);
    expect(await failures(proofOf({ outcome: 'stack_limit' }))).toEqual(['outcome OUTCOME_INCONSISTENT']);
  });

  it('settled 44: judges fuel and traps', async () => {
    const inconsistent = ['outcome OUTCOME_INCONSISTENT'];
    const trapped = { outcome: 'trapped', exitCode: null, trap: 'unreachable' } as const;
    expect(await failures(proofOf(trapped))).toEqual([]);
    expect(await failures(proofOf({ ...trapped, trap: null }))).toEqual(inconsistent);
    expect(await failures(proofOf({ trap: 'unreachable' }))).toEqual(inconsistent);
    expect(await failures(proofOf({ fuel: { used: 6, limit: 5 } }))).toEqual(inconsistent);
    const stopped = { outcome: 'fuel_limit', exitCode: null } as const;
    expect(await failures(proofOf({ ...stopped, fuel: { used: 5, limit: 5 } }))).toEqual([]);
    expect(await failures(proofOf({ ...stopped, fuel: { used: 4, limit: 5 } }))).toEqual(inconsistent);
    const { resources } = proofOf().record;
    const probed = { ...resources, probedFuelPerSecond: 1.5 };
    const late = { outcome: 'time_limit', exitCode: null, resources: probed } as const;
    expect(await failures(proofOf({ ...late, fuel: { used: null, limit: 5 } }))).toEqual([]);
    expect(await failures(proofOf({ ...late, fuel: { used: 4, limit: 5 } }))).toEqual(inconsistent);
    expect(await failures(proofOf({ ...late, fuel: { used: null, limit: 5 }, resources }))).toEqual(
      inconsistent,
    );
    expect(await failures(proofOf({ fuel: { used: null, limit: 5 } }))).toEqual(inconsistent);
    expect(await failures(proofOf({ resources: probed }))).toEqual(inconsistent);
    const expected = { fuelLimit: 5001, metering: { version: 1, moduleHash: '33'.repeat(32) } };
    expect(await failures(proofOf(), { expected })).toEqual([
      'expected.fuelLimit EXPECTATION_MISMATCH',
      'expected.metering EXPECTATION_MISMATCH',
    ]);
  });

  it('instruments the module anew to see what ran in its place', async () => {
    const made = instrument(MODULE);
    if (!made.ok) throw new Error(made.message);
    const metering = { version: METERING_VERSION, moduleHash: sha256(made.value.bytes) };
    const expected = { module: MODULE };
    expect(await failures(proofOf({ metering }), { expected })).toEqual([]);
    expect(await failures(proofOf(), { expected })).toEqual(['metering METERING_MISMATCH']);
    expect(await failures(proofOf({ metering: { ...metering, version: 99 } }), { expected })).toEqual([
      'metering METERING_UNKNOWN',
    ]);
  });

  it('still verifies what enclaves signed before metering, and tells it apart', async () => {
    expect(await failures(unmeteredProofOf())).toEqual([]);
    expect(await failures(unmeteredProofOf({ outcome: 'time_limit', exitCode: null }))).toEqual([]);
    expect(await failures(unmeteredProofOf(), { expected: { module: MODULE } })).toEqual([]);
    expect(await failures(unmeteredProofOf(), { expected: { fuelLimit: 5000 } })).toEqual([
      'expected.fuelLimit EXPECTATION_MISMATCH',
    ]);
    // The domain of the signature names the version: no signature serves for both.
    const proof = proofOf();
    expect(await failures({ ...proof, record: { ...proof.record, version: 1 } })).toContain(
      'format MALFORMED',
    );
  });

  it('compares with every expectation', async () => {
    const honest = {
      jobId: 'job-1',
      args: ['a'],
      inputHash: '00'.repeat(32),
      enclaveKey,
      nonce: NONCE,
      config: CONFIG,
    };
    expect(
      await failures(proofOf(), {
        expected: { ...honest, metering: METERING, module: MODULE, moduleHash: sha256(MODULE) },
      }),
    ).toEqual([]);
    const differing = { ...honest, jobId: null, args: ['b'], inputHash: '01'.repeat(32) };
    expect(await failures(proofOf(), { expected: differing })).toEqual([
      'expected.jobId EXPECTATION_MISMATCH',
      'expected.args EXPECTATION_MISMATCH',
      'expected.inputHash EXPECTATION_MISMATCH',
    ]);
    expect(
      await failures(proofOf(), { expected: { metering: METERING, module: new Uint8Array(3) } }),
    ).toEqual(['module MODULE_MISMATCH']);
    expect(
      await failures(proofOf({ moduleHash: '22'.repeat(32) }), {
        expected: { metering: METERING, module: MODULE },
      }),
    ).toEqual(['module MODULE_MISMATCH']);
  });

  it('answers MALFORMED for any other JSON, and for members too many or too few', async () => {
    const proof = proofOf();
    const { jobId: _, ...short } = proof.record;
    const strange = [
      null,
      [],
      'proof',
      {},
      { ...proof, extra: 1 },
      { ...proof, record: { ...proof.record, extra: 1 } },
      { ...proof, record: short },
      { ...proof, record: { ...proof.record, resources: { ...proof.record.resources, cpuMs: Number.NaN } } },
      { ...proof, signature: 'AA=' },
      { ...proof, attestation: { ...proof.attestation, certificates: [] } },
    ];
    for (const value of strange) expect(await failures(value)).toContain('format MALFORMED');
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (value) => {
        expect(await failures(value)).toContain('format MALFORMED');
      }),
    );
  });

  it('refuses a flip of any byte of the signature or of the report', async () => {
    const proof = proofOf();
    const flips = async (text: string, rebuilt: (flipped: string) => unknown) => {
      const bytes = fromBase64Url(text);
      for (let at = 0; at < bytes.length; at += 7) {
        const copy = bytes.slice();
        copy[at] = (copy[at] ?? 0) ^ 0x04;
        expect(await failures(rebuilt(toBase64Url(copy)))).not.toEqual([]);
      }
    };
    await flips(proof.signature, (signature) => ({ ...proof, signature }));
    await flips(proof.attestation.report, (report) => ({
      ...proof,
      attestation: { ...proof.attestation, report },
    }));
  });
});
