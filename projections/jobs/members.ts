import type { Winner } from '../../domain/auction/events.ts';
import type { JobEnclaveAttested, JobProven, JobResultReceived, Payout } from '../../domain/job/events.ts';
import { ZERO } from '../../domain/money.ts';
import type { JobMember, JobState } from './table.ts';

const newMember = (winner: Winner): JobMember => ({
  providerId: winner.providerId,
  owner: winner.owner,
  infrastructureType: winner.infrastructureType,
  asn: winner.asn,
  region: winner.region,
  bidId: winner.bidId,
  payment: winner.payment,
  paid: null,
  enclaveId: null,
  label: null,
  attested: false,
  proofId: null,
  outcome: null,
  exitCode: null,
  outputHash: null,
  fuelUsed: null,
  missedHeartbeats: null,
  accepted: null,
  sla: null,
});

/** The members of an epoch; who stays keeps what it has done, and may be paid more. */
export const ofEpoch = (members: readonly JobMember[], winners: readonly Winner[]): JobMember[] =>
  winners.map((winner) => {
    const known = members.find((member) => member.providerId === winner.providerId);
    return known ? { ...known, payment: winner.payment } : newMember(winner);
  });

const changed = (
  members: readonly JobMember[],
  providerId: string,
  change: Partial<JobMember>,
): readonly JobMember[] =>
  members.map((member) => (member.providerId === providerId ? { ...member, ...change } : member));

export const attested = (
  members: readonly JobMember[],
  { providerId, enclaveId, label }: Omit<JobEnclaveAttested, 'type'>,
): readonly JobMember[] => changed(members, providerId, { enclaveId, label, attested: true });

export const withResult = (
  members: readonly JobMember[],
  result: Omit<JobResultReceived, 'type'>,
): readonly JobMember[] => {
  const { providerId, enclaveId, proofId, outcome, exitCode, outputHash, missedHeartbeats } = result;
  return changed(members, providerId, {
    enclaveId,
    proofId,
    outcome,
    exitCode,
    outputHash,
    fuelUsed: result.fuelUsed ?? null,
    missedHeartbeats,
  });
};

export const compared = (
  members: readonly JobMember[],
  { accepted, memberSla = [] }: Pick<JobProven, 'accepted' | 'memberSla'>,
): readonly JobMember[] =>
  members.map((member) => {
    const own = memberSla.find(({ providerId }) => providerId === member.providerId);
    if (!own) return { ...member, accepted: accepted.includes(member.providerId) };
    const { providerId, ...sla } = own;
    return { ...member, accepted: accepted.includes(providerId), sla };
  });

/** Who is in no payout was paid nothing. */
export const paid = (members: readonly JobMember[], payouts: readonly Payout[]): readonly JobMember[] =>
  members.map((member) => ({
    ...member,
    paid: payouts.find((payout) => payout.providerId === member.providerId)?.amount ?? ZERO,
  }));

/** What a job with these members does next; the same rule as the job's machine. */
export const phaseOf = (
  members: readonly JobMember[],
): Extract<JobState, 'launching' | 'running' | 'proving'> => {
  if (members.some((member) => !member.attested)) return 'launching';
  return members.every((member) => member.proofId !== null) ? 'proving' : 'running';
};
