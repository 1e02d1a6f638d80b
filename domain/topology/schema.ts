import { z } from 'zod';
import { count, hex, id, instant, listOf, name, schemaOf, text, version } from '../schema.ts';
import type { TopologyEvent } from './events.ts';

const decimal = z.string().regex(/^(0|[1-9]\d{0,18})$/, 'a whole number');

/** The stored events of an epoch of the topology. */
export const topologyEventSchema = schemaOf<TopologyEvent>()(
  z.discriminatedUnion('type', [
    z.strictObject({
      type: z.literal('topology.opened'),
      machineVersion: version,
      network: name,
      epoch: count,
      epochSeconds: z.int().positive(),
      registrationClosesAt: instant,
      startsAt: instant,
      endsAt: instant,
      holdsUntil: instant,
      bootstrap: z.boolean(),
      openedAt: instant,
    }),
    z.strictObject({ type: z.literal('topology.registration-closed'), closedAt: instant }),
    z.strictObject({
      type: z.literal('topology.candidates-committed'),
      candidateRoot: hex(32),
      candidateCount: count,
      candidateSet: hex(32),
      position: decimal,
      committedAt: instant,
    }),
    z.strictObject({
      type: z.literal('topology.beacon-fixed'),
      beacon: hex(32),
      source: z.discriminatedUnion('kind', [
        z.strictObject({ kind: z.literal('checkpoint'), size: decimal, hash: hex(32) }),
        z.strictObject({ kind: z.literal('log'), size: decimal, hash: hex(32) }),
      ]),
      fixedAt: instant,
    }),
    z.strictObject({
      type: z.literal('topology.neighbours-selected'),
      nodeId: id,
      index: count,
      output: hex(64),
      proof: hex(80),
      neighbours: listOf(id),
      selectedAt: instant,
    }),
    z.strictObject({ type: z.literal('topology.ended'), endedAt: instant }),
    z.strictObject({ type: z.literal('topology.failed'), message: text }),
  ]),
);
