import type { Rejection } from '../errors.ts';

/** Where a command comes from. `commandId` makes it idempotent: the same id has one effect. */
export interface CommandMeta {
  readonly commandId: string;
  readonly actor: string;
  readonly correlationId: string;
  readonly causationId: string;
  readonly traceparent: string | null;
}

export interface Command {
  readonly type: string;
}

export interface CommandAccepted {
  readonly ok: true;
  /** Position of the last event the command caused (decimal). */
  readonly position: string;
  /** Revision of the stream after it (decimal). */
  readonly revision: string;
  /** State value after it, leaf name. */
  readonly state: string;
}

export type CommandOutcome = CommandAccepted | Rejection;

export interface LifecycleView {
  readonly revision: string;
  readonly version: number;
  readonly value: string;
  readonly context: unknown;
  readonly running: boolean;
}

/** What a child tells its parent when it enters a state tagged `report`, or when its opening was refused. */
export interface Report {
  readonly aggregate: string;
  readonly stream: string;
  readonly revision: number;
  /** Top-level state name, or `refused`. */
  readonly state: string;
  readonly body: unknown;
  readonly rejection: Rejection | null;
}

/** A lifecycle that another one, its `parent`, starts with its first command. */
export interface ChildOpening {
  readonly aggregate: string;
  readonly stream: string;
  readonly version: number;
  readonly parent: string;
  readonly command: Command;
  readonly meta: CommandMeta;
}

/** What a lifecycle says to others. Saying it twice is saying it once. */
export interface Outgoing {
  readonly report?: { readonly to: string; readonly report: Report };
  readonly children: readonly ChildOpening[];
}

/**
 * In which order the host calls Temporal. Whoever starts a run names it, and the run keeps it, for its history is replayed.
 * 1, also of runs that name none: every state is shown. 2: of the states, only those that are awaited or final. 3: what is
 * said to other lifecycles, and prompt effects, where the step that asks for it is appended; one timer for all deadlines.
 * 4: a lifecycle that has told its parent where it stands goes on with a prompt effect in the same turn; a run is prompt, too.
 */
export const HOST_VERSION = 4;

/** The durable host seen from outside: lifecycles are opened, commanded and inspected by stream id (= workflow id). */
export interface Lifecycles {
  /** Starts the lifecycle with its first command. A refused first command leaves nothing behind. */
  open(aggregate: string, stream: string, command: Command, meta: CommandMeta): Promise<CommandOutcome>;
  /** Sends a command to a running lifecycle. Unknown → `RESOURCE_NOT_FOUND`; ended → the aggregate's own refusal. */
  execute(stream: string, command: Command, meta: CommandMeta): Promise<CommandOutcome>;
  /** Leaves a command of the engine to a lifecycle, which obeys or refuses it in its turn; one that has ended hears nothing. */
  tell(stream: string, command: Command, meta: CommandMeta): Promise<void>;
  /** Starts children and tells a parent. A child that runs or ran is left as it is, a parent that has ended in peace. */
  send(outgoing: Outgoing): Promise<void>;
  /** The first answer to a command that the log holds; null for one that was never obeyed. */
  decided(stream: string, commandId: string): Promise<CommandAccepted | null>;
  inspect(stream: string): Promise<LifecycleView | null>;
}
