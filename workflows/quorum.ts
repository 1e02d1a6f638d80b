import type { Winner } from '../domain/auction/events.ts';
import type { QuorumDegraded, Violation } from '../domain/quorum/events.ts';
import type { Quorum } from '../domain/quorum/machine.ts';
import { runLifecycle } from './host.ts';
import { type LifecycleInput, lifecycleOf, type Policies } from './lifecycle.ts';

/** What the job is told after every epoch. */
export interface QuorumReport {
  readonly epoch: number;
  readonly members: readonly Winner[];
  readonly requiredUp: number;
  readonly predictedAvailability: number;
  readonly violations: readonly Violation[];
  readonly formedAt: string;
}

const policies: Policies = {
  effects: {
    reform: {
      kind: 'activity',
      local: true,
      options: {
        startToCloseTimeout: '30 seconds',
        retry: { initialInterval: '200 milliseconds', maximumInterval: '5 seconds' },
      },
      failed: ({ epoch }: { epoch: number }): QuorumDegraded[] => [
        { type: 'quorum.degraded', epoch: epoch + 1, members: [], predictedAvailability: 0, violations: [] },
      ],
    },
  },
  report: (quorum: Quorum): QuorumReport => ({
    epoch: quorum.epoch,
    members: quorum.members,
    requiredUp: quorum.requiredUp,
    predictedAvailability: quorum.predictedAvailability,
    violations: quorum.violations,
    formedAt: quorum.formedAt,
  }),
};

export const quorumLifecycle = lifecycleOf('quorum', { 1: policies, 2: policies });

/** A set of members with a promised availability, re-formed when one is lost. */
export const quorum = (input: LifecycleInput) => runLifecycle(quorumLifecycle, input);
