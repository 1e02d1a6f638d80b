import { expect } from 'vitest';
import { type AnyStateMachine, getInitialSnapshot, type SnapshotFrom } from 'xstate';
import type { Decision, DecisionContext } from '../../domain/decision.ts';
import type { ErrorCode, FieldError } from '../../domain/errors.ts';
import type { DomainEvent } from '../../domain/event.ts';
import { applyEvent } from '../../domain/lifecycle.ts';

/** An aggregate as its tests see it: where it begins, how an event moves it, and what a command decides. */
export interface Decider<S, C, E extends DomainEvent> {
  readonly initial: S;
  readonly evolve: (state: S, event: E) => S;
  readonly decide: (state: S, command: C, context: DecisionContext) => Decision<E>;
}

/** A machine with its rules, as a decider whose state is the snapshot. */
export const machineDecider = <M extends AnyStateMachine, C, E extends DomainEvent>(
  machine: M,
  decide: (snapshot: SnapshotFrom<M>, command: C, context: DecisionContext) => Decision<E>,
): Decider<SnapshotFrom<M>, C, E> => ({
  initial: getInitialSnapshot(machine as AnyStateMachine) as SnapshotFrom<M>,
  evolve: (snapshot, event) => applyEvent(machine, snapshot as never, event)[0] as SnapshotFrom<M>,
  decide,
});

/** The same through JSON, as a store or a workflow history would hand it back. */
const throughJson = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

/**
 * `given(…events).when(command, context).then(…events)`. Every step also checks what holds for all aggregates: the
 * events that `decide` returns are accepted in order, and folding them from JSON gives the same state.
 */
export const specify = <S, C, E extends DomainEvent>(decider: Decider<S, C, E>) => {
  const fold = (events: readonly E[]): S => events.reduce(decider.evolve, decider.initial);

  const given = (...events: readonly E[]) => {
    const state = fold(events);
    return {
      state,
      when: (command: C, context: Partial<DecisionContext> = {}) => {
        const decision = decider.decide(state, command, { now: '', actor: 'engine', ...context });
        const accepted = (): readonly E[] => {
          expect(decision).toMatchObject({ ok: true });
          return decision.ok ? decision.events : [];
        };
        return {
          /** The command was accepted and led to exactly these events. */
          then: (...expected: readonly E[]): void => {
            const decided = accepted();
            expect(decided).toEqual(expected);
            const live = decided.reduce(decider.evolve, state);
            expect(JSON.stringify(fold(throughJson([...events, ...decided])))).toBe(JSON.stringify(live));
          },
          /** The command was accepted and changes nothing. */
          thenNothing: (): void => expect(accepted()).toEqual([]),
          /** The state after the events decided. */
          thenState: (): S => accepted().reduce(decider.evolve, state),
          thenRejects: (code: ErrorCode, message?: RegExp, errors?: readonly FieldError[]): void => {
            expect(decision).toMatchObject({ ok: false, code });
            if (message) expect(decision).toMatchObject({ message: expect.stringMatching(message) });
            if (errors) expect(decision).toMatchObject({ errors: expect.arrayContaining([...errors]) });
          },
        };
      },
    };
  };
  return { given };
};
