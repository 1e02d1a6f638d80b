import {
  type Client,
  WithStartWorkflowOperation,
  WorkflowExecutionAlreadyStartedError,
  WorkflowFailedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { unreadable } from '../../domain/decision.ts';
import {
  ERROR_STATUS,
  type ErrorCode,
  type FieldError,
  type Rejection,
  reject,
} from '../../domain/errors.ts';
import { aggregateOf } from '../../domain/event.ts';
import type { EventStore } from '../../domain/ports/event-store.ts';
import {
  type Command,
  type CommandMeta,
  type CommandOutcome,
  HOST_VERSION,
  type Lifecycles,
  type LifecycleView,
} from '../../domain/ports/lifecycles.ts';
import { FORGED_FAILURE } from '../../domain/ports/seals.ts';
import {
  foldedState,
  foldMachine,
  foldStream,
  isLifecycle,
  LIFECYCLES,
  lifecycleVersion,
} from '../../domain/registry.ts';
import { createMessages } from './messages.ts';
import { isTransient } from './transient.ts';

export interface LifecyclesOptions {
  readonly client: Client;
  readonly store: EventStore;
  readonly taskQueue: string;
  /** Longest wait for the answer to a command, ms. */
  readonly timeoutMs?: number;
}

const busy = (what: string): Rejection =>
  reject('RESOURCE_UNAVAILABLE', `the workflow service is not answering: ${what}`);

/** A refusal that travelled as an ApplicationFailure: its type is the code, its details the fields. */
const rejectionOf = (failure: ApplicationFailure): Rejection | null => {
  const code = failure.type;
  if (!code || !(code in ERROR_STATUS)) return null;
  const [errors] = (failure.details ?? []) as [FieldError[]?];
  return reject(code as ErrorCode, failure.message, errors && errors.length > 0 ? errors : undefined);
};

/** The durable host over Temporal: a command is a workflow update, opening is update-with-start. */
export const createLifecycles = ({
  client,
  store,
  taskQueue,
  timeoutMs = 20_000,
}: LifecyclesOptions): Lifecycles => {
  const decided: Lifecycles['decided'] = async (stream, commandId) => {
    const [known] = await store.findCommands(stream, [commandId]);
    if (!known) return null;
    const { position, revision } = known;
    const state = foldedState(foldStream(stream, await store.readStream(stream, { to: revision })));
    return { ok: true, position: String(position), revision: String(revision), state };
  };

  /** What the log says to a command for a stream whose workflow has ended. */
  const afterTheEnd = async (
    stream: string,
    command: Command,
    meta: CommandMeta,
  ): Promise<CommandOutcome> => {
    const events = await store.readStream(stream);
    if (events.length === 0) return reject('RESOURCE_NOT_FOUND', `${stream} does not exist`);
    const folded = foldStream(stream, events);
    const { decide } = lifecycleVersion(aggregateOf(stream), folded.version);
    const decision = decide(foldMachine(aggregateOf(stream), events), command, {
      now: new Date().toISOString(),
      actor: meta.actor,
    });
    return decision.ok ? reject('CONFLICT', `${stream} has ended as ${foldedState(folded)}`) : decision;
  };

  const outcomeOf = async (
    stream: string,
    command: Command,
    meta: CommandMeta,
    call: () => Promise<CommandOutcome>,
  ): Promise<CommandOutcome> => {
    const refused = unreadable(command);
    if (refused) return refused;
    try {
      return await client.connection.withDeadline(Date.now() + timeoutMs, call);
    } catch (error) {
      if (error instanceof WorkflowUpdateFailedError || error instanceof WorkflowFailedError) {
        const failure = error.cause instanceof ApplicationFailure ? error.cause : null;
        // Ours, and yet not believed: this process and the workers hold different keys.
        if (failure?.type === FORGED_FAILURE) throw error;
        const rejection = failure && rejectionOf(failure);
        // An update that lost its workflow in mid-flight is answered by the log.
        return rejection ?? afterTheEnd(stream, command, meta);
      }
      if (error instanceof WorkflowNotFoundError || error instanceof WorkflowExecutionAlreadyStartedError) {
        return afterTheEnd(stream, command, meta);
      }
      if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError || isTransient(error))
        return busy('try again');
      throw error;
    }
  };

  /** A refusal may meet a command that was obeyed before, by a process that died before it could say so: the log knows. */
  const answered = async (...asked: Parameters<typeof outcomeOf>): Promise<CommandOutcome> => {
    const outcome = await outcomeOf(...asked);
    const [stream, , meta] = asked;
    return outcome.ok ? outcome : ((await decided(stream, meta.commandId)) ?? outcome);
  };

  return {
    ...createMessages({ client, taskQueue, timeoutMs }),

    open: (aggregate, stream, command, meta) =>
      answered(stream, command, meta, () => {
        if (!isLifecycle(aggregate)) throw new Error(`${aggregate} is no lifecycle`);
        const input = { stream, version: LIFECYCLES[aggregate].current, sealed: true, host: HOST_VERSION };
        const startWorkflowOperation = new WithStartWorkflowOperation(aggregate, {
          workflowId: stream,
          args: [input],
          taskQueue,
          workflowIdConflictPolicy: 'USE_EXISTING',
          workflowIdReusePolicy: 'ALLOW_DUPLICATE_FAILED_ONLY',
        });
        return client.workflow.executeUpdateWithStart<never, CommandOutcome, [Command, CommandMeta]>(
          'command',
          {
            args: [command, meta],
            updateId: meta.commandId,
            startWorkflowOperation: startWorkflowOperation as never,
          },
        );
      }),

    execute: (stream, command, meta) =>
      answered(stream, command, meta, () =>
        client.workflow.getHandle(stream).executeUpdate<CommandOutcome, [Command, CommandMeta]>('command', {
          args: [command, meta],
          updateId: meta.commandId,
        }),
      ),

    decided,

    async inspect(stream) {
      try {
        return await client.connection.withDeadline(Date.now() + timeoutMs, () =>
          client.workflow.getHandle(stream).query<LifecycleView>('view'),
        );
      } catch (error) {
        if (error instanceof WorkflowNotFoundError) return null;
        throw error;
      }
    },
  };
};
