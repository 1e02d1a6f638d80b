import type { Rejection } from '../../domain/errors.ts';
import { domainEventOf, newEvent } from '../../domain/event.ts';
import { type EventStore, NO_STREAM } from '../../domain/ports/event-store.ts';
import type { SubjectCommand } from '../../domain/subject/commands.ts';
import { decideSubject } from '../../domain/subject/decide.ts';
import type { SubjectEvent } from '../../domain/subject/events.ts';
import { evolveSubject, foldSubject, type Subject } from '../../domain/subject/fold.ts';

/** Who asks and why; `commandId` becomes the cause of the events. */
export interface SubjectCaller {
  readonly actor: string;
  readonly commandId: string;
  readonly traceparent?: string | null;
}

/** A subject as it is at a revision of its stream. */
export interface SubjectAt {
  readonly subject: Subject;
  readonly revision: bigint;
}

export type SubjectOutcome =
  | (SubjectAt & { readonly ok: true; readonly position: string | null })
  | Rejection;

export interface SubjectStreams {
  /** Executes `command` on the subject; a command that changes nothing answers with `position: null`. */
  execute(subjectId: string, command: SubjectCommand, caller: SubjectCaller): Promise<SubjectOutcome>;
}

/** Subjects have neither timers nor effects: load, decide, append, and decide again when another was first. */
export const createSubjectStreams = ({
  store,
  now,
}: {
  store: Pick<EventStore, 'readStream' | 'append'>;
  now: () => string;
}): SubjectStreams => {
  const read = async (subjectId: string) => {
    const events = await store.readStream(subjectId);
    return {
      subject: foldSubject(events.map((event) => domainEventOf<SubjectEvent>(event))),
      revision: events.at(-1)?.revision ?? NO_STREAM,
    };
  };

  return {
    async execute(subjectId, command, { actor, commandId, traceparent = null }) {
      for (;;) {
        const { subject, revision } = await read(subjectId);
        const occurredAt = now();
        const decision = decideSubject(subject, command, { now: occurredAt, actor });
        if (!decision.ok) return decision;
        if (decision.events.length === 0) {
          return { ok: true, subject: subject as Subject, revision, position: null };
        }
        const context = {
          occurredAt,
          actor,
          correlationId: subjectId,
          causationId: commandId,
          traceparent,
        };
        const appended = await store.append({
          stream: subjectId,
          expectedRevision: revision,
          events: decision.events.map((event) => newEvent(event, context)),
        });
        if (appended.ok) {
          const after = decision.events.reduce<Subject | null>(evolveSubject, subject) as Subject;
          return {
            ok: true,
            subject: after,
            revision: revision + BigInt(decision.events.length),
            position: String(appended.position),
          };
        }
      }
    },
  };
};
