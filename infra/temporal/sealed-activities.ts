import { CompleteAsyncError } from '@temporalio/activity';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import {
  type Answered,
  type Call,
  type FailedAttempt,
  FORGED_FAILURE,
  isForged,
} from '../../domain/ports/seals.ts';

const callIn = (value: unknown): Call | null =>
  typeof value === 'object' && value !== null && 'activity' in value ? (value as Call) : null;

/**
 * Activities do what a workflow of ours has asked them for under a seal, and nothing else; what they answer, and how an
 * attempt fails, is bound to that call. What runs in the worker itself (local activities) was never out of its hands.
 */
export const sealedActivities: ActivityInterceptorsFactory = ({ info }) => ({
  inbound: {
    execute: async (input, next) => {
      if (info.isLocal) return next(input);
      const call = callIn(input.args.at(-1));
      if (input.args.some(isForged) || call?.activity !== info.activityType)
        throw ApplicationFailure.nonRetryable('nobody who may has asked for this', FORGED_FAILURE);
      try {
        const answer = await next({ ...input, args: input.args.slice(0, -1) });
        return { call, answer } satisfies Answered;
      } catch (error) {
        if (error instanceof CompleteAsyncError || error instanceof CancelledFailure) throw error;
        const failure = ApplicationFailure.fromError(error);
        const attempt: FailedAttempt = {
          call,
          attempt: info.attempt,
          message: failure.message,
          nonRetryable: failure.nonRetryable ?? false,
        };
        throw ApplicationFailure.fromError(failure, { details: [...(failure.details ?? []), attempt] });
      }
    },
  },
});
