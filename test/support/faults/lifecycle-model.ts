import { expect } from 'vitest';
import { type AnyMachineSnapshot, getInitialSnapshot } from 'xstate';
import { aggregateOf, type DomainEvent, domainEventOf, type RecordedEvent } from '../../../domain/event.ts';
import { stateName } from '../../../domain/lifecycle.ts';
import type { DecidedCommand } from '../../../domain/ports/event-store.ts';
import type { Command, CommandOutcome } from '../../../domain/ports/lifecycles.ts';
import { lifecycleVersion, machineVersionOf } from '../../../domain/registry.ts';
import { stageEvents } from '../../../domain/staging.ts';

/** A command as it was sent, as often as it was, and everything that its callers heard. */
export interface Sent {
  readonly commandId: string;
  readonly command: Command;
  readonly actor: string;
  readonly heard: readonly CommandOutcome[];
}

/** Follows from an event of the log: an effect, a deadline, a child's report. */
const FOLLOWS = /^[a-z]+-.+@-?\d+$/;

/**
 * Holds a lifecycle's stream against the pure model: each command has the events that it is decided to on the state before
 * it, once; whoever was told of success was told of that; whoever was refused in the end left no trace.
 */
export const expectLifecycleInOrder = (
  stream: string,
  events: readonly RecordedEvent[],
  decided: readonly DecidedCommand[],
  sent: readonly Sent[],
): void => {
  const answers = new Map<string, CommandOutcome>();
  if (events.length > 0) {
    const version = lifecycleVersion(aggregateOf(stream), machineVersionOf(events));
    let snapshot: AnyMachineSnapshot = getInitialSnapshot(version.machine);
    for (let at = 0; at < events.length; ) {
      const { causationId, occurredAt, id } = events[at] as RecordedEvent;
      const cause = sent.find(({ commandId }) => commandId === causationId);
      let own: readonly DomainEvent[] = [domainEventOf(events[at] as RecordedEvent)];
      if (cause) {
        expect(answers.has(causationId), `${causationId} has one effect`).toBe(false);
        const decision = version.decide(snapshot, cause.command, { now: occurredAt, actor: cause.actor });
        if (!decision.ok) throw new Error(`${id} stands though it is refused: ${decision.message}`);
        own = decision.events;
        const standing = events.slice(at, at + own.length);
        expect(standing.map((event) => domainEventOf(event))).toEqual(own);
        expect(standing.every((event) => event.causationId === causationId)).toBe(true);
      } else expect(causationId, `the cause of ${id}`).toMatch(FOLLOWS);
      ({ snapshot } = stageEvents(version, stream, { snapshot, revision: at - 1 }, own));
      at += own.length;
      if (!cause) continue;
      const known = decided.find(({ commandId }) => commandId === causationId);
      const last = events[at - 1] as RecordedEvent;
      expect(known, `the log knows ${causationId}`).toMatchObject({ revision: last.revision });
      expect(known?.position).toBeGreaterThanOrEqual(last.position);
      answers.set(causationId, {
        ok: true,
        position: String(known?.position),
        revision: String(last.revision),
        state: stateName(snapshot.value),
      });
    }
  }
  for (const { commandId, heard } of sent) {
    const answer = answers.get(commandId);
    for (const outcome of heard) if (outcome.ok) expect(outcome, commandId).toEqual(answer);
    // Asked again, it is answered as it was, or refused as before: what was refused in the end has no effect.
    expect(heard.at(-1)?.ok, `${commandId}: ${JSON.stringify(heard.at(-1))}`).toBe(answer !== undefined);
    const firstSuccess = heard.findIndex(({ ok }) => ok);
    if (firstSuccess >= 0) expect(heard.slice(firstSuccess).every(({ ok }) => ok)).toBe(true);
  }
};
