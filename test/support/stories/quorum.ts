import type { OpenedBid } from '../../../domain/auction/events.ts';
import { quorumIdOf } from '../../../domain/job/job.ts';
import type { QuorumEvent } from '../../../domain/quorum/events.ts';
import { at, bidOf, type Draw, hex, micro, type Story, ulid, winnerOf } from './parts.ts';

export const quorumStory = (seed: number, draw: Draw): Story => {
  const quorumId = quorumIdOf(`job-${ulid(seed)}`);
  let epoch = 1;
  let members = [0, 1, 2].map((index) => winnerOf(seed, index));
  const reserve: OpenedBid[] = [bidOf(seed, 3), bidOf(seed, 4)];
  const events: QuorumEvent[] = [
    {
      type: 'quorum.formed',
      machineVersion: 1,
      quorumId,
      jobId: `job-${ulid(seed)}`,
      auctionId: `auction-${ulid(seed)}`,
      tier: 'gold',
      requiredUp: 2,
      target: 0.999,
      ceiling: micro(888_889),
      seed: hex(seed),
      epoch,
      members,
      reserve,
      predictedAvailability: 0.9995,
      formedAt: at(seed + 21),
      expiresAt: at(seed + 4000),
    },
  ];
  for (let step = draw(3); step > 0; step--) {
    const [lost] = members;
    if (!lost || draw(3) === 0)
      events.push({ type: 'quorum.member-requested', reason: 'results differ', epoch });
    else {
      events.push({
        type: 'quorum.member-lost',
        providerId: lost.providerId,
        owner: lost.owner,
        reason: 'lost',
        epoch,
      });
      members = members.slice(1);
    }
    epoch++;
    const added = draw(2) === 0 ? [] : [winnerOf(seed, 4 + epoch)];
    members = [...members, ...added];
    events.push(
      added.length > 0
        ? {
            type: 'quorum.reformed',
            epoch,
            members,
            reserve,
            added,
            predictedAvailability: 0.9991,
            method: 'exact',
          }
        : {
            type: 'quorum.degraded',
            epoch,
            members,
            predictedAvailability: 0.9,
            violations: [
              {
                rule: 'member-count',
                have: members.length,
                need: 3,
                members: [],
                recommendation: 'more bids',
              },
            ],
          },
    );
  }
  if (draw(2) === 0) events.push({ type: 'quorum.dissolved', reason: 'the job ended' });
  return { stream: quorumId, events };
};
