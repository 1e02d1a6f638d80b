import { hash } from 'node:crypto';
import type { AnyMachineSnapshot } from 'xstate';
import { aggregateOf, type DomainEvent, type EventContext, eventId } from '../domain/event.ts';
import { fingerprintOf, type Sha256Hex } from '../domain/fingerprint.ts';
import { equalsJson } from '../domain/json.ts';
import type {
  Aftermath,
  FollowedStep,
  FollowingEffect,
  Journal,
  JournalBatch,
  JournalRequest,
  StepReply,
  StoredEvent,
} from '../domain/ports/journal.ts';
import type { Lifecycles, Outgoing } from '../domain/ports/lifecycles.ts';
import { lifecycleVersion } from '../domain/registry.ts';
import { type AskedEffect, plainState, type Staged, stageEvents, startedBy } from '../domain/staging.ts';
import { within } from './prompt.ts';

/** An effect that its lifecycle declares `local` or `prompt`: from its input to domain events. */
export type FollowableEffect = (input: never) => Promise<readonly DomainEvent[]>;

export interface JournalActivityDeps {
  readonly journal: Journal;
  readonly lifecycles: Pick<Lifecycles, 'send'>;
  /** Effects that may follow an append, by `<aggregate>.<effect>`. */
  readonly effects: Readonly<Record<string, FollowableEffect>>;
  readonly now: () => string;
  /** Something behind an append failed; its lifecycle asks for it again by its own policy. */
  readonly onFault: (what: string, error: unknown) => void;
  /** Monotonic ms. */
  readonly monotonicMs?: () => number;
}

/** Longest time that effects may take behind an append, ms; well below the append's own limit (workflows/host.ts). */
const EFFECTS_LIMIT_MS = 5000;
/**
 * Longest time of one that asks a node, ms. Meanwhile its workflow hears nobody, so one who does not answer is better asked
 * by an activity of its own.
 */
const PROMPT_LIMIT_MS = 2500;
/** Longest time to say what a step has to say, ms. */
const SEND_LIMIT_MS = 3000;
/** Prompt effects at a time. Nodes that do not answer would else take the places of all workflow tasks of a worker. */
export const PROMPT_AT_ONCE = 64;

const sha256: Sha256Hex = (text) => hash('sha256', text, 'hex');

/** Whether an event is what an effect of this context answered, at whatever time. */
const isOwn = (context: EventContext, stored: EventContext): boolean =>
  equalsJson({ ...context, occurredAt: stored.occurredAt }, stored);

/** What an earlier attempt of the same effect answered; null where others stand. */
const earlierOf = (
  stored: readonly StoredEvent[],
  context: EventContext,
): Pick<FollowedStep, 'events' | 'context'> | null => {
  const others = stored.findIndex((each) => !isOwn(context, each.context));
  const own = others < 0 ? stored : stored.slice(0, others);
  const [first] = own;
  return first ? { events: own.map(({ event }) => event), context: first.context } : null;
};

const later = (a: string, b: string): string => (a > b ? a : b);

interface Followed extends FollowedStep, JournalBatch {
  readonly staged: Staged;
}

/** The one way a lifecycle writes: its events and the money that follows them. */
export const createJournalActivities = ({
  journal,
  lifecycles,
  effects,
  now,
  onFault,
  monotonicMs = () => performance.now(),
}: JournalActivityDeps) => {
  let prompt = 0;

  const answerOf = async (
    name: string,
    input: unknown,
    limitMs: number,
  ): Promise<readonly DomainEvent[] | null> => {
    if (prompt >= PROMPT_AT_ONCE || limitMs <= 0) return null;
    prompt++;
    try {
      const effect = effects[name];
      if (!effect) throw new Error(`no effect named ${name} follows an append`);
      return await within(limitMs, () => effect(input as never));
    } catch (error) {
      onFault(name, error);
      return null;
    } finally {
      prompt--;
    }
  };

  /** The effect's events, now in the log; null when it failed or others stand there: then its lifecycle asks for it. */
  const followOne = async (
    { stream, origin }: JournalRequest,
    { version: versionNumber, context }: Pick<FollowingEffect, 'version' | 'context'>,
    effect: AskedEffect,
    standing: Pick<Staged, 'snapshot' | 'revision'>,
    limitMs: number,
  ): Promise<Followed | null> => {
    const aggregate = aggregateOf(stream);
    const events = await answerOf(`${aggregate}.${effect.src}`, effect.input, limitMs);
    if (!events) return null;
    const version = lifecycleVersion(aggregate, versionNumber);
    const followed = (step: Pick<FollowedStep, 'events' | 'context'>): Followed => {
      const staged = stageEvents(version, stream, standing, step.events);
      return { effect: effect.id, ...step, entries: staged.entries, staged };
    };
    const own = followed({ events, context });
    if (events.length === 0) return own;
    const reply = await journal.append({
      stream,
      expectedRevision: standing.revision,
      batches: [{ context, events, entries: own.entries }],
      origin,
      ...(own.staged.snapshot.status === 'done' && {
        final: { version: versionNumber, state: plainState(own.staged.snapshot) },
      }),
    });
    switch (reply.kind) {
      case 'appended':
        return own;
      case 'conflict': {
        const earlier = earlierOf(reply.stored, context);
        return earlier && followed(earlier);
      }
      case 'refused':
        throw new Error(`the ledger refused ${events[0]?.type}: ${reply.rejection.message}`);
    }
  };

  /** The effect that goes on behind `step`: the only one it asks for, where nobody waits to be told of its state. */
  const nextOf = (
    { actions, snapshot }: Staged,
    { prompt: followable = [] }: FollowingEffect,
  ): AskedEffect | null => {
    const [effect, ...others] = startedBy(actions);
    if (!effect || others.length > 0 || snapshot.hasTag('report')) return null;
    return followable.includes(effect.src) ? effect : null;
  };

  /** The effects that follow an append, one behind the other. */
  const follow = async (request: JournalRequest, next: FollowingEffect): Promise<Followed[]> => {
    const { stream, expectedRevision, batches } = request;
    const until = monotonicMs() + EFFECTS_LIMIT_MS;
    const { machine } = lifecycleVersion(aggregateOf(stream), next.version);
    const steps: Followed[] = [];
    let standing: Pick<Staged, 'snapshot' | 'revision'> = {
      snapshot: machine.resolveState(next.state as never) as AnyMachineSnapshot,
      revision: batches.reduce((sum, batch) => sum + batch.events.length, expectedRevision),
    };
    let effect: AskedEffect | null = next.effect;
    while (effect) {
      const left = until - monotonicMs();
      const isPrompt = next.prompt?.includes(effect.src) === true;
      const context: EventContext = next.prompt
        ? {
            ...next.context,
            occurredAt: later(steps.at(-1)?.context.occurredAt ?? next.context.occurredAt, now()),
            causationId: eventId(stream, standing.revision),
          }
        : next.context;
      const step = await followOne(
        request,
        { version: next.version, context },
        effect,
        standing,
        isPrompt ? Math.min(left, PROMPT_LIMIT_MS) : left,
      );
      if (!step) break;
      steps.push(step);
      standing = step.staged;
      effect = nextOf(step.staged, next);
    }
    return steps;
  };

  /** Whether it was said. What could not be said is said by the lifecycle, until it is. */
  const trySend = async (outgoing: Outgoing): Promise<boolean> => {
    try {
      await within(SEND_LIMIT_MS, () => lifecycles.send(outgoing));
      return true;
    } catch (error) {
      onFault('to say what a step has to say', error);
      return false;
    }
  };

  /** Says what a step has to say, and runs the effect that it leads to. */
  const goOn = async (
    request: JournalRequest,
    next: FollowingEffect | null,
    outgoing: Outgoing | null,
  ): Promise<Aftermath & { readonly behind: readonly FollowedStep[] }> => {
    const isSent = !outgoing || (await trySend(outgoing));
    const steps = next ? await follow(request, next) : [];
    const { batches, asks } = request;
    const behind = steps.map(({ context, events, entries }) => ({ context, events, entries }));
    return {
      behind: steps.map(({ effect, events, context }) => ({ effect, events, context })),
      ...(!isSent && { unsent: true }),
      fingerprint: fingerprintOf([...batches, ...behind], asks, sha256),
    };
  };

  return {
    /**
     * Appends a step, says to others what it has to say and, when it asks for an effect that may follow, runs that and
     * appends its events behind the step, and so on: one turn of the workflow instead of three for each. An effect that
     * fails here is left to the lifecycle's own policy. The answer carries the fingerprint of all that was appended, for a
     * replay to be held against.
     */
    'journal.append': async (
      request: JournalRequest,
      next?: FollowingEffect | null,
      outgoing?: Outgoing,
    ): Promise<StepReply> => {
      const reply = await journal.append(request);
      if (reply.kind !== 'appended') return reply;
      const { behind, ...aftermath } = await goOn(request, next ?? null, outgoing ?? null);
      const [first] = behind;
      return {
        ...reply,
        ...(first && (next?.prompt ? { behind } : { followed: first.events })),
        ...aftermath,
      };
    },

    /**
     * Goes on from where a lifecycle stands, with nothing of its own to append: `request` has no batches. Says that to
     * others, runs the effect, and appends behind it as `journal.append` does.
     */
    'journal.follow': (
      request: JournalRequest,
      next: FollowingEffect,
      outgoing: Outgoing | null,
    ): Promise<Aftermath> => goOn(request, next, outgoing),

    /** Says to others what a step has to say that this lifecycle did not append itself. */
    'journal.send': (outgoing: Outgoing): Promise<void> => lifecycles.send(outgoing),
  };
};
