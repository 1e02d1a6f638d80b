import type { TopologyEvent } from '../../../domain/topology/events.ts';
import { at, type Draw, type Story } from './parts.ts';

const HEX = 'ab'.repeat(32);

/** An epoch with some of its draws; it may fail before its beacon. */
export const topologyStory = (seed: number, draw: Draw): Story => {
  const nodes = 2 + draw(6);
  const name = (index: number) => `provider-${seed}-${index}`;
  const opening: readonly TopologyEvent[] = [
    {
      type: 'topology.opened',
      machineVersion: 1,
      network: 'test',
      epoch: seed,
      epochSeconds: 3600,
      registrationClosesAt: at(0),
      startsAt: at(1),
      endsAt: at(2),
      holdsUntil: at(3),
      bootstrap: draw(2) === 0,
      openedAt: at(0),
    },
    { type: 'topology.registration-closed', closedAt: at(1) },
  ];
  const drawing: readonly TopologyEvent[] = [
    {
      type: 'topology.candidates-committed',
      candidateRoot: HEX,
      candidateCount: nodes,
      candidateSet: HEX,
      position: String(seed),
      committedAt: at(1),
    },
    {
      type: 'topology.beacon-fixed',
      beacon: HEX,
      source: { kind: 'log', size: String(seed), hash: HEX },
      fixedAt: at(1),
    },
    ...Array.from({ length: 1 + draw(nodes) }, (_, index): TopologyEvent => {
      const others = Array.from({ length: nodes }, (_, other) => other).filter((other) => other !== index);
      return {
        type: 'topology.neighbours-selected',
        nodeId: name(index),
        index,
        output: HEX + HEX,
        proof: 'cd'.repeat(80),
        neighbours: others.map(name),
        selectedAt: at(2),
      };
    }),
    { type: 'topology.ended', endedAt: at(3) },
  ];
  const failed: TopologyEvent = { type: 'topology.failed', message: 'the servers stayed away' };
  return {
    stream: `topology-${seed}`,
    events: draw(8) === 0 ? [...opening, failed] : [...opening, ...drawing],
  };
};
