import type { SnapshotFrom } from 'xstate';
import { accept, type Decision, type DecisionContext } from '../decision.ts';
import { reject } from '../errors.ts';
import { TIERS, TYPE_UNAVAILABILITY } from '../tiers.ts';
import { addSeconds } from '../time.ts';
import type { FormQuorum, QuorumCommand } from './commands.ts';
import type { QuorumEvent } from './events.ts';
import { checkSet } from './feasibility.ts';
import { QUORUM_VERSION, type quorumMachine } from './machine.ts';

type Snapshot = SnapshotFrom<typeof quorumMachine>;

const decideAt = (
  version: number,
  snapshot: Snapshot,
  command: QuorumCommand,
  ctx: DecisionContext,
): Decision<QuorumEvent> => {
  const quorum = snapshot.context;
  switch (command.type) {
    case 'form':
      return form(version, snapshot, command, ctx);
    case 'lose-member': {
      const member = quorum.members.find((each) => each.providerId === command.providerId);
      if (!member)
        return reject('CONFLICT', `${command.providerId} is not a member of epoch ${quorum.epoch}`);
      return allowed(snapshot, {
        type: 'quorum.member-lost',
        providerId: member.providerId,
        owner: member.owner,
        reason: command.reason,
        epoch: quorum.epoch,
      });
    }
    case 'add-member':
      return allowed(snapshot, {
        type: 'quorum.member-requested',
        reason: command.reason,
        epoch: quorum.epoch,
      });
    case 'dissolve':
      return allowed(snapshot, { type: 'quorum.dissolved', reason: command.reason });
    case 'deadline':
      return allowed(snapshot, { type: 'quorum.dissolved', reason: 'expired' });
  }
};

/** Rules over commands of a quorum. Whether a set is good enough is `checkSet`'s to say, here and everywhere. */
export const decide = (
  snapshot: Snapshot,
  command: QuorumCommand,
  ctx: DecisionContext,
): Decision<QuorumEvent> => decideAt(QUORUM_VERSION, snapshot, command, ctx);

/** The same for streams of version 1. */
export const decideV1 = (
  snapshot: Snapshot,
  command: QuorumCommand,
  ctx: DecisionContext,
): Decision<QuorumEvent> => decideAt(1, snapshot, command, ctx);

const allowed = (snapshot: Snapshot, event: QuorumEvent): Decision<QuorumEvent> =>
  snapshot.can(event) ? accept(event) : reject('CONFLICT', `the quorum is ${snapshot.value}`);

const form = (
  version: number,
  snapshot: Snapshot,
  command: FormQuorum,
  ctx: DecisionContext,
): Decision<QuorumEvent> => {
  if (!snapshot.matches('new')) return reject('CONFLICT', 'this quorum is formed already');
  const tier = TIERS[command.tier];
  const check = checkSet({
    tier: command.tier,
    requiredUp: tier.requiredUp,
    members: command.members.map((member) => ({ ...member, id: member.providerId })),
    typeUnavailability: TYPE_UNAVAILABILITY,
    offeredTypes: new Set([...command.members, ...command.reserve].map((bid) => bid.infrastructureType)).size,
  });
  if (!check.meetsTier) {
    return reject(
      'QUORUM_NOT_ACHIEVED',
      'the members do not keep the promise of the tier',
      check.violations.map((violation) => ({
        field: `members.${violation.rule}`,
        rule: `have ${violation.have}, need ${violation.need}`,
      })),
    );
  }
  const { type: _, lifetimeSeconds, ...terms } = command;
  return accept({
    type: 'quorum.formed',
    machineVersion: version,
    ...terms,
    requiredUp: tier.requiredUp,
    target: tier.availability,
    epoch: 1,
    predictedAvailability: check.predictedAvailability,
    formedAt: ctx.now,
    expiresAt: addSeconds(ctx.now, lifetimeSeconds),
  });
};
