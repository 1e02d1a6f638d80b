import type { EventStore } from '../domain/ports/event-store.ts';
import type { Solver } from '../domain/ports/solver.ts';
import type { QuorumEvent } from '../domain/quorum/events.ts';
import type { Quorum } from '../domain/quorum/machine.ts';
import { foldStream, machineVersionOf } from '../domain/registry.ts';
import { TIERS } from '../domain/tiers.ts';

export interface QuorumDeps {
  readonly store: EventStore;
  readonly solver: Pick<Solver, 'replaceMember'>;
}

/** Effects of a quorum. */
export const createQuorumActivities = ({ store, solver }: QuorumDeps) => ({
  /** Re-solves the set with its survivors fixed: a new epoch that keeps the promise, or a degraded one. */
  'quorum.reform': async ({
    quorumId,
  }: {
    readonly quorumId: string;
    readonly epoch: number;
  }): Promise<QuorumEvent[]> => {
    const events = await store.readStream(quorumId);
    const quorum = foldStream(quorumId, events).context as Quorum;
    const wanted = TIERS[quorum.tier].winners + quorum.extra;
    const outcome = await solver.replaceMember({
      tier: quorum.tier,
      survivors: quorum.members,
      reserve: quorum.reserve,
      barredOwners: quorum.lost.map((member) => member.owner),
      ceiling: quorum.ceiling,
      seed: quorum.seed,
      add: Math.max(0, wanted - quorum.members.length),
      quorumVersion: machineVersionOf(events),
    });
    const epoch = quorum.epoch + 1;
    if (outcome.ok) {
      const { members, reserve, added, predictedAvailability, solution } = outcome;
      return [
        { type: 'quorum.reformed', epoch, members, reserve, added, predictedAvailability, ...solution },
      ];
    }
    const { members, violations, predictedAvailability } = outcome;
    return [{ type: 'quorum.degraded', epoch, members, predictedAvailability, violations }];
  },
});
