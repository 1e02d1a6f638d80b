import { randomBytes } from 'node:crypto';
import { ok, type Rejection, type Result, reject } from '../../domain/errors.ts';
import { units } from '../../domain/money.ts';
import type { Provider } from '../../domain/provider/fold.ts';
import { providerIdOf } from '../../domain/provider/provider-id.ts';
import { addSeconds, isBefore } from '../../domain/time.ts';
import type { Enrolment } from '../keys/enrolment.ts';
import type { Nonces } from '../keys/nonces.ts';
import type { AskNode } from '../p2p/ask-node.ts';
import type { JoinRequest } from '../p2p/engine-handlers.ts';
import type { AttestationJudge } from './attestation-judge.ts';
import type { Providers } from './providers.ts';

export interface AdmissionDeps {
  readonly providers: Providers;
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

const attestationEnds = (provider: Provider, now: string): boolean =>
  !provider.attestation || isBefore(provider.attestation.expiresAt, addSeconds(now, RENEWAL_SECONDS));

/**
 * Takes a node in: its owner is the principal of its key, it is registered once, its host attests itself, and its stake
 * is locked at the first join. Joining again repeats only what is missing, also where two workers find it missing at once.
 */
export const createAdmission = ({
  providers,
  enrolment,
  nonces,
  judge,
  requireHardware,
  now,
}: AdmissionDeps) => {
  const attest = async (provider: Provider, join: JoinRequest, ask: AskNode): Promise<Rejection | null> => {
    const platform = join.platforms[0];
    if (platform !== 'amd_sev_snp') {
      return reject('UNSUPPORTED_PLATFORM', 'the engine verifies amd_sev_snp hosts', [
        { field: 'platforms', rule: 'begins with amd_sev_snp' },
      ]);
    }
    const nonce = randomBytes(32).toString('hex');
    if (!(await nonces.use(nonce, provider.providerId))) throw new Error('a fresh nonce was used before');
    const reply = await ask({ type: 'attest-host', platform, nonce }, { timeoutMs: HOST_TIMEOUT_MS });
    if (reply.type !== 'attestation')
      return reject('ATTESTATION_FAILED', `the host did not attest: ${reply.message}`);
    const { providerId, publicKey } = provider;
    const judgement = await judge.judge(
      { type: 'host', providerId, publicKey, platform },
      nonce,
      reply.evidence,
      {
        allowSimulated: !requireHardware,
      },
    );
    if (!judgement.ok) return reject('ATTESTATION_FAILED', judgement.message);
    const { label, reportHash, expiresAt } = judgement.report;
    const outcome = await providers.execute(
      providerId,
      {
        type: 'attest',
        platform,
        label,
        reportHash,
        nonce,
        expiresAt,
        renews: provider.attestation?.nonce ?? null,
      },
      { actor: provider.owner, commandId: `attest/${nonce}` },
    );
    return outcome.ok ? null : outcome;
  };

  const register = async (publicKey: string, join: JoinRequest): Promise<Result<Provider>> => {
    const providerId = providerIdOf(publicKey);
    const known = await providers.find(providerId);
    if (known) return ok(known);
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

  return {
    /** The provider id of the node that holds `publicKey` (proved by Noise), or why it may not join. */
    async join(
      publicKey: string,
      join: JoinRequest,
      ask: AskNode,
      addressPrefix: string,
    ): Promise<Result<string>> {
      const registered = await register(publicKey, join);
      if (!registered.ok) return registered;
      const provider = registered.value;
      const { providerId, owner } = provider;
      if (attestationEnds(provider, now())) {
        const refusal = await attest(provider, join, ask);
        if (refusal) return refusal;
      }
      if (units(provider.stake) === 0n && units(join.stake) > 0n) {
        const staked = await providers.execute(
          providerId,
          { type: 'lock-stake', amount: join.stake, first: true },
          { actor: owner, commandId: `stake/${providerId}` },
        );
        if (!staked.ok) return staked;
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
    },
  };
};

export type Admission = ReturnType<typeof createAdmission>;
