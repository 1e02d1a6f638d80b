import { hash } from 'node:crypto';
import type { AnyMachineSnapshot } from 'xstate';
import { aggregateOf, type DomainEvent, type EventContext } from '../domain/event.ts';
import { fingerprintOf, type Sha256Hex } from '../domain/fingerprint.ts';
import { equalsJson } from '../domain/json.ts';
import type {
  FollowingEffect,
  Journal,
  JournalRequest,
  StepReply,
  StoredEvent,
} from '../domain/ports/journal.ts';
import { lifecycleVersion } from '../domain/registry.ts';
import { plainState, type Staged, stageEvents } from '../domain/staging.ts';

/** An effect that its lifecycle declares `local`: from its input to domain events. */
export type LocalEffect = (input: never) => Promise<readonly DomainEvent[]>;

export interface JournalActivityDeps {
  readonly journal: Journal;
  /** Effects that may follow an append, by `<aggregate>.<effect>`. */
  readonly effects: Readonly<Record<string, LocalEffect>>;
  /** An effect did not answer here; its lifecycle runs it again by its own policy. */
  readonly onFault: (effect: string, error: unknown) => void;
}

/** Longest time an effect may take behind an append, ms; well below the append's own limit (workflows/host.ts). */
const EFFECT_LIMIT_MS = 5000;

const within = async <T>(ms: number, work: Promise<T>): Promise<T> => {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`no answer within ${ms} ms`)), ms);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
};

const sha256: Sha256Hex = (text) => hash('sha256', text, 'hex');

/** What an earlier attempt of the same effect answered; null where others stand. */
const earlierOf = (stored: readonly StoredEvent[], context: EventContext): readonly DomainEvent[] | null => {
  const others = stored.findIndex((each) => !equalsJson(context, each.context));
  const own = others < 0 ? stored : stored.slice(0, others);
  return own.length > 0 ? own.map(({ event }) => event) : null;
};

/** The one way a lifecycle writes: its events and the money that follows them. */
export const createJournalActivities = ({ journal, effects, onFault }: JournalActivityDeps) => {
  const answerOf = async ({ name, input }: FollowingEffect): Promise<readonly DomainEvent[] | null> => {
    try {
      const effect = effects[name];
      if (!effect) throw new Error(`no effect named ${name} follows an append`);
      return await within(EFFECT_LIMIT_MS, effect(input as never));
    } catch (error) {
      onFault(name, error);
      return null;
    }
  };

  /** The effect's events, now in the log; null when it failed or others stand there: then its lifecycle asks for it. */
  const follow = async (
    { stream, expectedRevision, batches, origin }: JournalRequest,
    next: FollowingEffect,
  ): Promise<Pick<Staged, 'events' | 'entries'> | null> => {
    const events = await answerOf(next);
    if (!events) return null;
    if (events.length === 0) return { events, entries: [] };
    const version = lifecycleVersion(aggregateOf(stream), next.version);
    const revision = batches.reduce((sum, batch) => sum + batch.events.length, expectedRevision);
    const snapshot: AnyMachineSnapshot = version.machine.resolveState(next.state as never);
    const stage = (those: readonly DomainEvent[]) =>
      stageEvents(version, stream, { snapshot, revision }, those);
    const staged = stage(events);
    const reply = await journal.append({
      stream,
      expectedRevision: revision,
      batches: [{ context: next.context, events, entries: staged.entries }],
      origin,
      ...(staged.snapshot.status === 'done' && {
        final: { version: next.version, state: plainState(staged.snapshot) },
      }),
    });
    switch (reply.kind) {
      case 'appended':
        return staged;
      case 'conflict': {
        const earlier = earlierOf(reply.stored, next.context);
        return earlier && stage(earlier);
      }
      case 'refused':
        throw new Error(`the ledger refused ${events[0]?.type}: ${reply.rejection.message}`);
    }
  };

  return {
    /**
     * Appends a step and, when it asks for a local effect, runs that and appends its events behind the step: one turn of
     * the workflow instead of three. An effect that fails here is left to the lifecycle's own policy. The answer carries
     * the fingerprint of all that was appended, for a replay to be held against.
     */
    'journal.append': async (request: JournalRequest, next?: FollowingEffect): Promise<StepReply> => {
      const reply = await journal.append(request);
      if (reply.kind !== 'appended') return reply;
      const { batches, asks } = request;
      const followed = next ? await follow(request, next) : null;
      if (!next || !followed) return { ...reply, fingerprint: fingerprintOf(batches, asks, sha256) };
      const { events, entries } = followed;
      const behind = { context: next.context, events, entries };
      return { ...reply, followed: events, fingerprint: fingerprintOf([...batches, behind], asks, sha256) };
    },
  };
};
