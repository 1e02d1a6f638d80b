import type { SnapshotFrom } from 'xstate';
import { accept, type Decision, type DecisionContext } from '../decision.ts';
import { type Rejection, reject } from '../errors.ts';
import { isBefore } from '../time.ts';
import type { OpenTopology, RecordSelection, TopologyCommand } from './commands.ts';
import type { TopologyEvent } from './events.ts';
import { TOPOLOGY_VERSION, type topologyMachine } from './machine.ts';

type Snapshot = SnapshotFrom<typeof topologyMachine>;

/** Rules over commands of an epoch. */
export const decide = (
  snapshot: Snapshot,
  command: TopologyCommand,
  { now }: DecisionContext,
): Decision<TopologyEvent> => {
  switch (command.type) {
    case 'open':
      return open(snapshot, command, now);
    case 'record-selection':
      return record(snapshot, command, now);
    case 'deadline':
      return passed(snapshot, now);
  }
};

const open = (snapshot: Snapshot, command: OpenTopology, now: string): Decision<TopologyEvent> => {
  if (!snapshot.matches('new')) return reject('CONFLICT', 'this epoch is open already');
  const { type: _, ...facts } = command;
  const { registrationClosesAt, startsAt, endsAt, holdsUntil } = facts;
  const ordered = [registrationClosesAt, startsAt, endsAt, holdsUntil].every(
    (at, index, all) => index === 0 || !isBefore(at, all[index - 1] as string),
  );
  if (!ordered) {
    return reject('INVALID_REQUEST', 'registration closes before the epoch starts, and it ends after', [
      { field: 'startsAt', rule: 'registrationClosesAt ≤ startsAt ≤ endsAt ≤ holdsUntil' },
    ]);
  }
  return accept({ type: 'topology.opened', machineVersion: TOPOLOGY_VERSION, ...facts, openedAt: now });
};

/** Why a state takes no draw. */
const notDrawing = ({ value, context }: Snapshot): Rejection =>
  value === 'ended' || value === 'failed'
    ? reject('CONFLICT', `epoch ${context.epoch} has ${value}`)
    : reject('CONFLICT', `the beacon of epoch ${context.epoch} is not fixed yet`);

/** The same key and epoch always draw the same, so a second record would say nothing. */
const record = (snapshot: Snapshot, command: RecordSelection, now: string): Decision<TopologyEvent> => {
  const { type: _, ...draw } = command;
  const event: TopologyEvent = { type: 'topology.neighbours-selected', ...draw, selectedAt: now };
  if (!snapshot.can(event)) return notDrawing(snapshot);
  if (snapshot.context.selected.includes(draw.index)) {
    return reject('CONFLICT', `the draw of ${draw.nodeId} is recorded`);
  }
  return accept(event);
};

const passed = (snapshot: Snapshot, now: string): Decision<TopologyEvent> => {
  const event: TopologyEvent = snapshot.matches('announced')
    ? { type: 'topology.registration-closed', closedAt: now }
    : { type: 'topology.ended', endedAt: now };
  return snapshot.can(event) ? accept(event) : reject('CONFLICT', `the epoch is ${snapshot.value}`);
};
