import { randomBytes } from 'node:crypto';
import { chipStream } from '../../domain/chip/events.ts';
import { ok, type Result, reject } from '../../domain/errors.ts';
import { units } from '../../domain/money.ts';
import { vrfKeyFault } from '../../domain/provider/decide.ts';
import type { ProviderAttested } from '../../domain/provider/events.ts';
import type { Provider } from '../../domain/provider/fold.ts';
import { providerIdOf } from '../../domain/provider/provider-id.ts';
import { addSeconds, isBefore } from '../../domain/time.ts';
import type { Enrolment } from '../keys/enrolment.ts';
import type { Nonces } from '../keys/nonces.ts';
import type { AskNode } from '../p2p/ask-node.ts';
import type { JoinRequest } from '../p2p/engine-handlers.ts';
import type { AttestationJudge } from './attestation-judge.ts';
import type { Newcomers } from './newcomers.ts';
import type { Providers } from './providers.ts';

export interface AdmissionDeps {
  readonly providers: Providers;
  /** May a key that is no provider yet become one. */
  readonly newcomers: Newcomers;
  readonly enrolment: Pick<Enrolment, 'enrolPublicKey'>;
  readonly nonces: Nonces;
  readonly judge: AttestationJudge;
  /** Refuses simulated roots altogether (settled 28). */
  readonly requireHardware: boolean;
  readonly now: () => string;
}

/** How long before its end a join renews a host's attestation. */
const RENEWAL_SECONDS = 3600;
const HOST_TIMEOUT_MS = 15_000;

/** It is missing, ends soon, or is from before chips were bound to their providers. */
const attestationEnds = ({ attestation }: Provider, now: string): boolean =>
  attestation?.chip === undefined || isBefore(attestation.expiresAt, addSeconds(now, RENEWAL_SECONDS));

/** What a host proved, ready to be recorded. */
type Attested = Pick<ProviderAttested, 'platform' | 'label' | 'reportHash' | 'chip' | 'nonce' | 'expiresAt'>;

/**
 * Takes a node in: its owner is the principal of its key, its host attests itself, it is registered once, and its stake
 * is locked at the first join. Everything is proved before anything is written, so a join that is refused leaves no
 * trace in the log. Joining again repeats only what is missing, also where two workers find it missing at once.
 */
export const createAdmission = ({
  providers,
  newcomers,
  enrolment,
  nonces,
  judge,
  requireHardware,
  now,
}: AdmissionDeps) => {
  /** Asks the host for a report over a fresh nonce and judges it. */
  const attest = async (publicKey: string, join: JoinRequest, ask: AskNode): Promise<Result<Attested>> => {
    const platform = join.platforms[0];
    if (platform !== 'amd_sev_snp') {
      return reject('UNSUPPORTED_PLATFORM', 'the engine verifies amd_sev_snp hosts', [
        { field: 'platforms', rule: 'begins with amd_sev_snp' },
      ]);
    }
    const nonce = randomBytes(32).toString('hex');
    const reply = await ask({ type: 'attest-host', platform, nonce }, { timeoutMs: HOST_TIMEOUT_MS });
    if (reply.type !== 'attestation')
      return reject('ATTESTATION_FAILED', `the host did not attest: ${reply.message}`);
    const providerId = providerIdOf(publicKey);
    const judgement = await judge.judge(
      { type: 'host', providerId, publicKey, platform },
      nonce,
      reply.evidence,
      {
        allowSimulated: !requireHardware,
      },
    );
    if (!judgement.ok) {
      const failed = judgement.steps.filter((step) => !step.ok);
      const errors = failed.map(({ step, code }) => ({ field: step, rule: code }));
      return reject('ATTESTATION_FAILED', judgement.message, errors);
    }
    // Nobody attests over it a second time.
    if (!(await nonces.use(nonce, providerId))) throw new Error('a fresh nonce was used before');
    const { label, reportHash, chipId, expiresAt } = judgement.report;
    return ok({ platform, label, reportHash, chip: chipStream(label, chipId), nonce, expiresAt });
  };

  const register = async (publicKey: string, join: JoinRequest): Promise<Result<Provider>> => {
    const providerId = providerIdOf(publicKey);
    const owner = await enrolment.enrolPublicKey(publicKey, ['provider']);
    if (!owner.ok) return owner;
    if (!owner.value.roles.includes('provider')) {
      return reject('AUTHORIZATION_FAILED', 'the role provider was withdrawn from this key');
    }
    const { infrastructureType, asn, region, tops } = join;
    const caller = { actor: owner.value.subjectId, commandId: `register/${providerId}` };
    const command = {
      type: 'register',
      providerId,
      owner: caller.actor,
      infrastructureType,
      asn,
      region,
      tops,
      publicKey,
    } as const;
    const outcome = await providers.execute(providerId, command, caller);
    if (outcome.ok) return ok(outcome.provider);
    // Two connections of one node may register it at once: the other one did.
    const registered = outcome.code === 'CONFLICT' ? await providers.find(providerId) : null;
    return registered ? ok(registered) : outcome;
  };

  /** Records what was proved; a refusal here is a race with another change of the same provider. */
  const record = async (
    provider: Provider,
    join: JoinRequest,
    attested: Attested | null,
    addressPrefix: string,
  ): Promise<Result<string>> => {
    const { providerId, owner } = provider;
    if (attested) {
      const outcome = await providers.execute(
        providerId,
        { type: 'attest', ...attested, renews: provider.attestation?.nonce ?? null },
        { actor: owner, commandId: `attest/${attested.nonce}` },
      );
      if (!outcome.ok) return outcome;
    }
    if (units(provider.stake) === 0n && units(join.stake) > 0n) {
      const staked = await providers.execute(
        providerId,
        { type: 'lock-stake', amount: join.stake, first: true },
        { actor: owner, commandId: `stake/${providerId}` },
      );
      // Who cannot pay is in all the same: it bids once its owner has staked.
      if (!staked.ok && staked.code !== 'INSUFFICIENT_BALANCE') return staked;
    }
    if (join.vrf) {
      const { publicKey: vrfKey, proof } = join.vrf;
      const keyed = await providers.execute(
        providerId,
        { type: 'register-vrf-key', vrfKey, proof, addressPrefix },
        { actor: owner, commandId: `vrf-key/${randomBytes(16).toString('hex')}` },
      );
      if (!keyed.ok) return keyed;
    }
    return ok(providerId);
  };

  return {
    /** The provider id of the node that holds `publicKey` (proved by Noise), or why it may not join. */
    async join(
      publicKey: string,
      join: JoinRequest,
      ask: AskNode,
      addressPrefix: string,
    ): Promise<Result<string>> {
      const known = await providers.find(providerIdOf(publicKey));
      const refusal = known ? null : await newcomers(publicKey, addressPrefix);
      if (refusal) return refusal;
      if (join.vrf) {
        const unproved = vrfKeyFault(publicKey, join.vrf.publicKey, join.vrf.proof);
        if (unproved) return unproved;
      }
      let attested: Attested | null = null;
      if (!known || attestationEnds(known, now())) {
        const outcome = await attest(publicKey, join, ask);
        if (!outcome.ok) return outcome;
        attested = outcome.value;
      }
      const registered = known ? ok(known) : await register(publicKey, join);
      return registered.ok ? record(registered.value, join, attested, addressPrefix) : registered;
    },
  };
};

export type Admission = ReturnType<typeof createAdmission>;
