import type { SnapshotFrom } from 'xstate';
import { accept, type Decision, type DecisionContext } from '../decision.ts';
import { reject } from '../errors.ts';
import type { PredicateCommand } from './commands.ts';
import type { PredicateEvent } from './events.ts';
import { PREDICATE_VERSION, type predicateMachine } from './machine.ts';
import { circuitIdOf } from './predicate.ts';

/** Rules over commands of a circuit. */
export const decide = (
  snapshot: SnapshotFrom<typeof predicateMachine>,
  command: PredicateCommand,
  { now, actor }: DecisionContext,
): Decision<PredicateEvent> => {
  if (command.type === 'deadline') return reject('CONFLICT', 'a circuit has no deadline');
  const { circuitId, shape, constraints, publicInputs } = command;
  if (circuitIdOf(shape) !== circuitId) {
    return reject('INVALID_REQUEST', 'the circuit has another shape', [
      { field: 'circuit_id', rule: 'the hash of the shape' },
    ]);
  }
  const event: PredicateEvent = {
    type: 'predicate.requested',
    machineVersion: PREDICATE_VERSION,
    circuitId,
    shape,
    constraints,
    publicInputs,
    requestedBy: actor,
    requestedAt: now,
  };
  return snapshot.can(event) ? accept(event) : reject('CONFLICT', `the circuit is ${snapshot.value}`);
};
