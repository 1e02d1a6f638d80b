import type { Rejection } from '../../domain/errors.ts';
import type { EventStore } from '../../domain/ports/event-store.ts';
import type { SubjectCommand } from '../../domain/subject/commands.ts';
import { subjectDecider } from '../../domain/subject/decider.ts';
import type { Subject } from '../../domain/subject/fold.ts';
import type { FoldSource } from '../event-store/folds.ts';
import { type CommandCaller, createCommandHandler } from '../journal/handle-command.ts';

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
  execute(subjectId: string, command: SubjectCommand, caller: CommandCaller): Promise<SubjectOutcome>;
}

/** Subjects have neither timers nor effects, and no money follows them. */
export const createSubjectStreams = ({
  store,
  now,
}: {
  store: FoldSource & Pick<EventStore, 'findCommands' | 'append'>;
  now: () => string;
}): SubjectStreams => {
  const handle = createCommandHandler({ store, append: (own) => store.append(own), now });
  return {
    async execute(subjectId, command, caller) {
      const handled = await handle(subjectDecider, subjectId, command, caller);
      if (!handled.ok) return handled;
      const { state, revision, position } = handled;
      if (!state) throw new Error(`${subjectId} was commanded and does not exist`);
      return { ok: true, subject: state, revision, position: position === null ? null : String(position) };
    },
  };
};
