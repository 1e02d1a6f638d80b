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

/**
 * In which order the host calls Temporal. Whoever starts a run names it, and the run keeps it, for its history is replayed.
 * 1, also of runs that name none: every state is shown. 2: of the states, only those that are awaited or final.
 */
export const HOST_VERSION = 2;

/** The durable host seen from outside: lifecycles are opened, commanded and inspected by stream id (= workflow id). */
export interface Lifecycles {
  /** Starts the lifecycle with its first command. A refused first command leaves nothing behind. */
  open(aggregate: string, stream: string, command: Command, meta: CommandMeta): Promise<CommandOutcome>;
  /** Sends a command to a running lifecycle. Unknown → `RESOURCE_NOT_FOUND`; ended → the aggregate's own refusal. */
  execute(stream: string, command: Command, meta: CommandMeta): Promise<CommandOutcome>;
  /** The first answer to a command that the log holds; null for one that was never obeyed. */
  decided(stream: string, commandId: string): Promise<CommandAccepted | null>;
  inspect(stream: string): Promise<LifecycleView | null>;
}
