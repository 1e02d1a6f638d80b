import { getInitialSnapshot } from 'xstate';
import {
  aggregateOf,
  type DomainEvent,
  type EventContext,
  type RecordedEvent,
} from '../../../domain/event.ts';
import { stateName } from '../../../domain/lifecycle.ts';
import type { Journal } from '../../../domain/ports/journal.ts';
import type { Command, CommandMeta, Lifecycles } from '../../../domain/ports/lifecycles.ts';
import {
  foldMachine,
  LIFECYCLES,
  type LifecycleName,
  lifecycleVersion,
  machineVersionOf,
} from '../../../domain/registry.ts';
import { plainState, type Standing, stageEvents } from '../../../domain/staging.ts';

interface Running extends Standing {
  readonly version: number;
}

/**
 * Runs lifecycles as the durable host does, without Temporal: it holds their states in memory, decides a command, and
 * appends what was decided with its money through the journal. Timers and effects are for the caller.
 */
export const createDirectHost = (journal: Pick<Journal, 'append'>) => {
  const running = new Map<string, Running>();

  const standing = (stream: string): Running => {
    const known = running.get(stream);
    if (!known) throw new Error(`${stream} does not run here`);
    return known;
  };

  const write = async (
    stream: string,
    { version: number, ...before }: Running,
    events: readonly DomainEvent[],
    context: EventContext,
    commandId?: string,
  ): Promise<string> => {
    const version = lifecycleVersion(aggregateOf(stream), number);
    const staged = stageEvents(version, stream, before, events);
    const { snapshot, revision, entries } = staged;
    const reply = await journal.append({
      stream,
      expectedRevision: before.revision,
      batches: [{ context, events, entries, ...(commandId !== undefined && { commandId }) }],
      origin: { workflowId: stream, runId: null },
      ...(snapshot.status === 'done' && { final: { version: number, state: plainState(snapshot) } }),
    });
    if (reply.kind !== 'appended') throw new Error(`${stream}: ${JSON.stringify(reply)}`);
    running.set(stream, { version: number, snapshot, revision });
    return reply.position;
  };

  const execute = async (
    stream: string,
    state: Running,
    command: Command,
    { commandId, ...meta }: CommandMeta,
    now = new Date().toISOString(),
  ) => {
    const { decide } = lifecycleVersion(aggregateOf(stream), state.version);
    const decision = decide(state.snapshot, command, { now, actor: meta.actor });
    if (!decision.ok) return decision;
    const context: EventContext = { ...meta, occurredAt: now };
    const position = await write(stream, state, decision.events, context, commandId);
    const { revision, snapshot } = standing(stream);
    return { ok: true as const, position, revision: String(revision), state: stateName(snapshot.value) };
  };

  return {
    contextOf: (stream: string) => standing(stream).snapshot.context as unknown,

    open: async (aggregate: LifecycleName, stream: string, command: Command, meta: CommandMeta) => {
      const version = LIFECYCLES[aggregate].current;
      const { machine } = lifecycleVersion(aggregate, version);
      const opened = await execute(
        stream,
        { version, snapshot: getInitialSnapshot(machine), revision: -1 },
        command,
        meta,
      );
      if (!opened.ok) throw new Error(opened.message);
    },

    /** Takes over a lifecycle whose events are in the log. */
    takeOver: (stream: string, events: readonly RecordedEvent[]): void => {
      const snapshot = foldMachine(aggregateOf(stream), events);
      running.set(stream, { version: machineVersionOf(events), snapshot, revision: events.length - 1 });
    },

    execute: ((stream, command, meta) =>
      execute(stream, standing(stream), command, meta)) as Lifecycles['execute'],

    /** A deadline whose time has come, however late it is. */
    deadline: async (stream: string, id: string, dueAt: string, meta: CommandMeta): Promise<void> => {
      const command = { type: 'deadline', id, dueAt } as Command;
      const decided = await execute(stream, standing(stream), command, meta, dueAt);
      if (!decided.ok) throw new Error(decided.message);
    },

    /** What an effect has answered. */
    answer: async (stream: string, events: readonly DomainEvent[], context: EventContext): Promise<void> =>
      void (await write(stream, standing(stream), events, context)),
  };
};
