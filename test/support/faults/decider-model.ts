import { expect } from 'vitest';
import type { Decider } from '../../../domain/decider.ts';
import type { Rejection } from '../../../domain/errors.ts';
import { type DomainEvent, domainEventOf, type RecordedEvent } from '../../../domain/event.ts';
import type { Handled } from '../../../infra/journal/handle-command.ts';
import type { Heard } from './schedule.ts';

/** State of a stream from a position of the log on. */
interface Stand<State> {
  readonly state: State;
  readonly revision: bigint;
  readonly position: bigint;
  /** Commands that were decided by then. */
  readonly decided: ReadonlySet<string>;
}

/** What a command came to by the model. */
interface Effect<State> {
  readonly ok: true;
  readonly state: State;
  readonly revision: bigint;
  readonly position: bigint;
}

export interface DeciderRun<State, Command, Event extends DomainEvent> {
  readonly decider: Pick<Decider<State, Command, Event>, 'initialState' | 'evolve' | 'decide'>;
  /** All events of the stream. */
  readonly events: readonly RecordedEvent[];
  /** Position of the last event of the step that ends with this event of the stream. */
  readonly stepEnd: (event: RecordedEvent) => bigint;
  readonly commandIds: readonly string[];
  readonly commands: readonly Command[];
  readonly actorOf: (command: Command) => string;
  readonly heard: readonly Heard<Handled<State> | Rejection>[];
  /** Whether a refusal that the decider does not know is right: the money was not there. */
  readonly isRefusedElsewhere?: (
    command: Command,
    state: State,
    rejection: Rejection,
    stand: Heard<unknown>,
  ) => boolean;
}

/**
 * Holds a run against the pure model: the events of the log are what the decider says of each command, once, on the state
 * before it; whoever was answered was answered with that, or with what a state of the time of its call leads to.
 */
export const expectOneEffectEach = <State, Command, Event extends DomainEvent>(
  run: DeciderRun<State, Command, Event>,
): void => {
  const { decider, events, stepEnd, commandIds, commands, actorOf, heard } = run;
  const contextOf = (command: Command, now: string) => ({ now, actor: actorOf(command) });
  const effects = new Map<string, Effect<State>>();
  const stands: Stand<State>[] = [
    { state: decider.initialState, revision: -1n, position: 0n, decided: new Set() },
  ];
  for (let at = 0; at < events.length; ) {
    const first = events[at] as RecordedEvent;
    const before = stands.at(-1) as Stand<State>;
    const index = commandIds.indexOf(first.causationId);
    expect(index, `${first.id} is caused by a command that was sent`).toBeGreaterThanOrEqual(0);
    expect(effects.has(first.causationId), `${first.causationId} has one effect`).toBe(false);
    const command = commands[index] as Command;
    const decision = decider.decide(before.state, command, contextOf(command, first.occurredAt));
    if (!decision.ok) throw new Error(`${first.id} stands though it is refused: ${decision.message}`);
    const own = events.slice(at, at + decision.events.length);
    expect(own.map((event) => domainEventOf<Event>(event))).toEqual(decision.events);
    expect(new Set(own.map(({ causationId }) => causationId))).toEqual(new Set([first.causationId]));
    const last = own.at(-1) as RecordedEvent;
    const state = decision.events.reduce(decider.evolve, before.state);
    const decided = new Set(before.decided).add(first.causationId);
    const effect = { ok: true as const, state, revision: last.revision, position: stepEnd(last) };
    effects.set(first.causationId, effect);
    stands.push({ state, revision: last.revision, position: last.position, decided });
    at += own.length;
  }

  /** The states that the stream had while a call was under way. */
  const during = ({ from, to }: Heard<unknown>): Stand<State>[] =>
    stands.filter((stand, at) => stand.position <= to && (stands[at + 1]?.position ?? to + 1n) > from);

  for (const each of heard) {
    const { answer } = each;
    const command = commands[each.command] as Command;
    const commandId = commandIds[each.command] as string;
    if (answer.ok && answer.position !== null) {
      expect(answer, commandId).toEqual(effects.get(commandId));
      continue;
    }
    // Without an effect by then, one of the states of that time leads to the answer.
    const undecided = during(each).filter(({ decided }) => !decided.has(commandId));
    const isRight = undecided.some(({ state, revision }) => {
      const decision = decider.decide(state, command, contextOf(command, '2026-01-01T00:00:00.000Z'));
      if (answer.ok) return decision.ok && decision.events.length === 0 && answer.revision === revision;
      return decision.ok
        ? (run.isRefusedElsewhere?.(command, state, answer, each) ?? false)
        : decision.code === answer.code && decision.message === answer.message;
    });
    expect(
      isRight,
      `${commandId} was answered ${JSON.stringify({ ...answer, state: undefined }, text)}`,
    ).toBe(true);
  }
};

const text = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value);
