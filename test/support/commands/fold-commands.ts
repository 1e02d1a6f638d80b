import * as fc from 'fast-check';
import { toMicro } from '../../../domain/money.ts';
import type { ProviderCommand } from '../../../domain/provider/decide.ts';
import { EVIDENCE_REASONS } from '../../../domain/provider/events.ts';
import type { SubjectCommand } from '../../../domain/subject/commands.ts';
import { ROLES } from '../../../domain/subject/events.ts';
import { nodeVrfKey, provePossession } from '../../../domain/topology/node-key.ts';

/** A way to draw each command of an aggregate; the compiler holds it against the union. */
type CommandsOf<Command extends { readonly type: string }> = {
  readonly [T in Command['type']]: fc.Arbitrary<Extract<Command, { readonly type: T }>>;
};

const HEX = 'ab'.repeat(32);
const anyOf = <Command extends { readonly type: string }>(
  commands: CommandsOf<Command>,
  first: Command['type'],
): fc.Arbitrary<Command> => {
  const byType: Readonly<Record<string, fc.Arbitrary<Command>>> = commands;
  const all = Object.values(byType);
  // Nothing is decided before the first command: it comes often.
  return fc.oneof({ weight: all.length, arbitrary: byType[first] as fc.Arbitrary<Command> }, ...all);
};

const VRF_KEYS = [1, 2].map((seed) => {
  const key = nodeVrfKey(new Uint8Array(32).fill(seed));
  return { vrfKey: Buffer.from(key.publicKey).toString('hex'), proof: provePossession(key, HEX) };
});

/** Commands of the provider `providerId` that belongs to `owner`, those that its state refuses among them. */
export const providerCommands = (providerId: string, owner: string): fc.Arbitrary<ProviderCommand> => {
  const commands: CommandsOf<ProviderCommand> = {
    register: fc.constantFrom(1, 2).map((asn) => ({
      type: 'register' as const,
      providerId,
      owner,
      infrastructureType: 'cloud_aws' as const,
      asn,
      region: 'region-a',
      tops: 1000,
      publicKey: HEX,
    })),
    attest: fc.constantFrom('00', '01').map((nonce) => ({
      type: 'attest' as const,
      platform: 'amd_sev_snp' as const,
      label: 'simulated' as const,
      reportHash: HEX,
      nonce,
      expiresAt: '2027-01-01T00:00:00.000Z',
    })),
    'lock-stake': fc
      .integer({ min: 0, max: 160_000 })
      .map((amount) => ({ type: 'lock-stake' as const, amount: toMicro(BigInt(amount)) })),
    'unbond-stake': fc
      .integer({ min: 0, max: 80_000 })
      .map((amount) => ({ type: 'unbond-stake' as const, amount: toMicro(BigInt(amount)) })),
    'withdraw-stake': fc.constant({ type: 'withdraw-stake' as const }),
    'post-bond': fc.integer({ min: 90_000, max: 200_000 }).map((amount) => ({
      type: 'post-bond' as const,
      amount: toMicro(BigInt(amount)),
      tRef: 900,
    })),
    'take-chance': fc.record({
      type: fc.constant('take-chance' as const),
      auctionId: fc.constantFrom('auction-1', 'auction-2'),
      escrow: fc.constantFrom('100', '1000000').map((amount) => toMicro(amount)),
      over: fc.constantFrom('auction-1', 'auction-2', null),
    }),
    'withdraw-bond': fc.record({
      type: fc.constant('withdraw-bond' as const),
      over: fc.constantFrom('auction-1', 'auction-2', null),
    }),
    'register-vrf-key': fc.record({
      type: fc.constant('register-vrf-key' as const),
      vrfKey: fc.constantFrom(...VRF_KEYS.map(({ vrfKey }) => vrfKey)),
      proof: fc.constantFrom(...VRF_KEYS.map(({ proof }) => proof)),
      addressPrefix: fc.constantFrom('10.0', '10.1'),
    }),
    see: fc.record({
      type: fc.constant('see' as const),
      presence: fc.constantFrom(
        'provider.up' as const,
        'provider.suspected' as const,
        'provider.lost' as const,
      ),
      missedHeartbeats: fc.nat({ max: 3 }),
    }),
    'record-evidence': fc
      .record({
        evidenceId: fc.constantFrom('proof-1', 'proof-2', 'proof-3'),
        reason: fc.constantFrom(...EVIDENCE_REASONS),
        payer: fc.constantFrom('subject-1', 'subject-2'),
        fee: fc.nat(2000),
      })
      .map(({ evidenceId, reason, payer, fee }) => ({
        type: 'record-evidence' as const,
        evidenceId,
        ...(reason === 'completed' ? { reason, work: { payer, fee: toMicro(BigInt(fee)) } } : { reason }),
      })),
  };
  return anyOf(commands, 'register');
};

const roles = fc.subarray([...ROLES]);
const key = fc.record({
  credential: fc.constantFrom('api-key' as const, 'public-key' as const),
  fingerprint: fc.constantFrom('key-1', 'key-2', 'key-3'),
});

/** Commands of the principal `subjectId`, those that its state refuses among them. */
export const subjectCommands = (subjectId: string): fc.Arbitrary<SubjectCommand> => {
  const commands: CommandsOf<SubjectCommand> = {
    enrol: fc
      .record({ roles: fc.constantFrom(['admin'] as const, ['provider', 'submitter'] as const), key })
      .map((drawn) => ({ type: 'enrol' as const, subjectId, roles: drawn.roles, ...drawn.key })),
    'change-roles': roles.map((drawn) => ({ type: 'change-roles' as const, roles: drawn })),
    'add-key': key.map((drawn) => ({ type: 'add-key' as const, ...drawn })),
    'revoke-key': key.map(({ fingerprint }) => ({ type: 'revoke-key' as const, fingerprint })),
  };
  return anyOf(commands, 'enrol');
};
