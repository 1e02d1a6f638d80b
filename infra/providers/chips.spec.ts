import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { REFUSALS_RECORDED } from '../../domain/chip/decide.ts';
import { chipStream } from '../../domain/chip/events.ts';
import { measurementOf, moduleSha384, reportData } from '../../domain/enclave/measurement.ts';
import { ok } from '../../domain/errors.ts';
import { ZERO } from '../../domain/money.ts';
import type { EventStore } from '../../domain/ports/event-store.ts';
import { providerIdOf } from '../../domain/provider/provider-id.ts';
import { simulatedMachine } from '../../test/workloads/simulated-machine.ts';
import { createMemoryEventStore } from '../event-store/memory/store.ts';
import { createJournal } from '../journal/journal.ts';
import type { AskNode } from '../p2p/ask-node.ts';
import { attestHost, chipIdFor, evidenceOf, issueChip, simulatedPlatform } from '../tee/index.ts';
import { createAdmission } from './admission.ts';
import { createAttestationJudge } from './attestation-judge.ts';
import { boundToChips, createChips } from './chips.ts';
import { createProviders } from './providers.ts';

const NOW = '2026-03-01T12:00:00.000Z';
const now = () => NOW;
const MODULE = randomBytes(16);
const CONFIG = { memoryMb: 64, cpuCores: 1, allowDebug: false } as const;
const JOIN = {
  type: 'join',
  infrastructureType: 'edge_devices',
  asn: 1,
  region: 'here',
  tops: 1,
  platforms: ['amd_sev_snp'],
  stake: ZERO,
  at: NOW,
} as const;

const machine = simulatedMachine(NOW);
/** Another chip under the same root. */
const spare = simulatedPlatform(issueChip(machine.root, { chipId: chipIdFor('spare'), now: NOW }));
const CHIP = chipStream('simulated', Buffer.from(machine.chip.chipId).toString('hex'));

/** A process of the engine: it shares nothing with others but the log. */
const engine = (store: EventStore) => {
  const books = createJournal({ store });
  const judge = boundToChips(
    createAttestationJudge({ artifacts: { read: async () => MODULE }, roots: machine.roots, now }),
    createChips({ store, books, now }),
  );
  const admission = createAdmission({
    providers: createProviders({ store, books, now }),
    newcomers: async () => null,
    enrolment: {
      enrolPublicKey: async (key) => ok({ subjectId: `subject-${key}`, roles: ['provider'], position: '1' }),
    },
    nonces: { use: async () => true, isUsed: async () => false },
    judge,
    requireHardware: false,
    now,
  });
  /** A node with this key whose host attests by `platform`. */
  const join = (publicKey: string, platform = machine.platform) => {
    const ask = (async (request: { nonce: string }) => ({
      type: 'attestation',
      evidence: await attestHost(platform, request.nonce, publicKey),
      enclaveKey: publicKey,
    })) as unknown as AskNode;
    return admission.join(publicKey, JOIN, ask, '127.0.0.0/16');
  };
  return { join, judge };
};

const keys = (count: number) => Array.from({ length: count }, () => randomBytes(32).toString('hex'));
const inUse = {
  code: 'ATTESTATION_FAILED',
  message: expect.stringContaining('CHIP_IN_USE') as string,
  errors: [{ field: 'chip-owner', rule: 'CHIP_IN_USE' }],
};
const typesOf = async (store: EventStore, stream: string) =>
  (await store.readStream(stream)).map(({ type }) => type);

describe('settled 42: a chip serves one provider', () => {
  test('a second one on the same chip is refused, by every process, recorded once, and enters nothing else', async () => {
    const store = createMemoryEventStore();
    const [first = '', second = ''] = keys(2);
    expect(await engine(store).join(first)).toEqual(ok(providerIdOf(first)));
    expect(await engine(store).join(second)).toMatchObject(inUse);
    expect(await engine(store).join(second)).toMatchObject(inUse);
    expect(await typesOf(store, CHIP)).toEqual(['chip.bound', 'chip.claim-refused']);
    expect(await typesOf(store, providerIdOf(second))).toEqual([]);
    // The chip of its own lets it in; the first one keeps its chip.
    expect(await engine(store).join(second, spare)).toEqual(ok(providerIdOf(second)));
    expect(await engine(store).join(first)).toEqual(ok(providerIdOf(first)));
    expect((await store.readStream(providerIdOf(first))).at(-1)?.data).toMatchObject({ chip: CHIP });
  });

  test('of many that claim it at once in different processes, one gets it', async () => {
    const store = createMemoryEventStore();
    const names = keys(REFUSALS_RECORDED + 4);
    const joined = await Promise.all(names.map((key) => engine(store).join(key)));
    expect(joined.filter((each) => each.ok)).toHaveLength(1);
    expect(await typesOf(store, CHIP)).toEqual([
      'chip.bound',
      ...Array.from({ length: REFUSALS_RECORDED }, () => 'chip.claim-refused'),
    ]);
  });

  test('enclaves of a provider are not attested by the chip of another', async () => {
    const { join, judge } = engine(createMemoryEventStore());
    const [owner = '', other = ''] = keys(2);
    await join(owner);
    await join(other, spare);
    const enclaveKey = Buffer.from(
      generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }).x ?? '',
      'base64url',
    ).toString('hex');
    const nonce = 'ab'.repeat(32);
    const report = async (platform: typeof spare) =>
      evidenceOf(
        platform,
        await platform.quote({
          measurement: measurementOf(moduleSha384(MODULE), CONFIG),
          reportData: reportData(nonce, enclaveKey),
        }),
      );
    const judged = async (key: string, platform: typeof spare) =>
      judge.judge(
        {
          type: 'enclave',
          providerId: providerIdOf(key),
          enclaveId: 'enclave-1',
          enclaveKey,
          codeHash: '',
          config: CONFIG,
        },
        nonce,
        await report(platform),
        { allowSimulated: true },
      );
    expect(await judged(owner, machine.platform)).toMatchObject({ ok: true });
    expect(await judged(owner, spare)).toMatchObject({
      ok: false,
      message: expect.stringContaining('CHIP_IN_USE') as string,
    });
  });
});
