import { accept, type Decision } from '../decision.ts';
import { type Rejection, reject } from '../errors.ts';
import { type Micro, toMicro, units } from '../money.ts';
import { UNBONDING_SECONDS } from '../tiers.ts';
import { addSeconds } from '../time.ts';
import type { ProviderEvent, StakeSlashed } from './events.ts';
import type { Provider } from './fold.ts';
import { bondedStake, stillUnbonding, withdrawable } from './stake.ts';

/** Parts that may unbond at once; withdrawing makes room. */
const MOST_UNBONDING = 16;

const notPositive = (amount: Micro): Rejection | null =>
  units(amount) > 0n
    ? null
    : reject('INVALID_REQUEST', 'a stake is more than nothing', [
        { field: 'amount', rule: '> 0 micro-units' },
      ]);

/** Locks `amount`; with `first` only while nothing is staked. */
export const lockStake = (
  provider: Provider,
  { amount, first }: { readonly amount: Micro; readonly first?: true },
  at: string,
): Decision<ProviderEvent> => {
  const refusal = notPositive(amount);
  if (refusal) return refusal;
  if (first && units(provider.stake) > 0n) return accept();
  return accept({ type: 'provider.stake-locked', amount, at });
};

/** Starts the way back of `amount`, which takes 24 hours (settled 42). */
export const unbondStake = (provider: Provider, amount: Micro, at: string): Decision<ProviderEvent> => {
  const refusal = notPositive(amount);
  if (refusal) return refusal;
  const bonded = bondedStake(provider);
  if (units(amount) > units(bonded)) {
    return reject('INSUFFICIENT_BALANCE', `${bonded} is staked, ${amount} was asked back`, [
      { field: 'amount', rule: `at most ${bonded} micro-units` },
    ]);
  }
  if (provider.unbonding.length >= MOST_UNBONDING) {
    return reject('CONFLICT', `${MOST_UNBONDING} parts of the stake unbond already`, [
      { field: 'amount', rule: `at most ${MOST_UNBONDING} parts at once: withdraw what has unbonded` },
    ]);
  }
  const releasesAt = addSeconds(at, UNBONDING_SECONDS);
  return accept({ type: 'provider.stake-unbonding', amount, releasesAt, at });
};

/** Pays out what has unbonded by `at`, the engine's time. */
export const withdrawStake = (provider: Provider, at: string): Decision<ProviderEvent> => {
  const amount = withdrawable(provider, at);
  if (units(amount) > 0n) return accept({ type: 'provider.stake-withdrawn', amount, at });
  const next = stillUnbonding(provider, at).reduce<string | null>(
    (soonest, { releasesAt }) => (soonest === null || releasesAt < soonest ? releasesAt : soonest),
    null,
  );
  return reject(
    'CONFLICT',
    next === null ? 'no stake unbonds' : `the stake unbonds until ${next}`,
    next === null ? undefined : [{ field: 'provider_id', rule: `not before ${next}` }],
  );
};

/**
 * Who is to be made whole by what a fault takes, the stake of a fraud or a bond: the submitter, and owners whose members
 * delivered. Of a fraud the latter are none, as long as their word alone shows it.
 */
export interface Wronged {
  readonly submitter: string;
  readonly members: readonly string[];
}

/** Half to the submitter, half in equal parts to the members, each rounded down (settled 39). */
export const sharesOf = (amount: Micro, { submitter, members }: Wronged): StakeSlashed['shares'] => {
  const half = units(amount) / 2n;
  const each = members.length === 0 ? 0n : half / BigInt(members.length);
  return [
    { principal: submitter, amount: half },
    ...members.map((owner) => ({ principal: owner, amount: each })),
  ]
    .filter((share) => share.amount > 0n)
    .map((share) => ({ ...share, amount: toMicro(share.amount) }));
};

/** What a fraud takes: everything. Nothing where nothing is staked. */
export const slashStake = (
  { stake }: Provider,
  evidenceId: string,
  wronged: Wronged | null,
  at: string,
): readonly StakeSlashed[] =>
  units(stake) === 0n
    ? []
    : [
        {
          type: 'provider.stake-slashed',
          amount: stake,
          evidenceId,
          shares: wronged ? sharesOf(stake, wronged) : [],
          at,
        },
      ];
