import type { RecordedEvent } from '../../domain/event.ts';
import type { NeighboursSelected } from '../../domain/topology/events.ts';
import type { Projection } from '../projection.ts';
import { checkMembers, tableDdl, writeRows } from '../table.ts';
import { type DrawRow, drawsTable } from './table.ts';

const SEPARATOR = '/';
const NODE_LENGTH = 200;

/** A draw is a row of its own: no other waits for it. */
const keyOf = ({ stream, data: { nodeId } }: RecordedEvent): string =>
  `${stream}${SEPARATOR}${typeof nodeId === 'string' ? nodeId.slice(0, NODE_LENGTH) : ''}`;

/** One row per node and epoch: its draw with the proof. */
export const neighbourDraws: Projection<null, readonly DrawRow[]> = {
  name: 'neighbour_draws',
  version: 1,
  handles: ['topology.neighbours-selected'],
  tables: [drawsTable.name],
  ddl: (names) => tableDdl(drawsTable, names(drawsTable.name)),
  keyOf,
  load: () => Promise.resolve(null),
  fold: (batch) =>
    batch.map(({ stream, position, data }) => {
      const { nodeId, index, output, proof, neighbours, selectedAt } = data as unknown as NeighboursSelected;
      const row: DrawRow = {
        topologyId: stream,
        nodeId,
        index,
        output,
        proof,
        neighbours,
        selectedAt,
        position: String(position),
      };
      checkMembers(drawsTable, row);
      return row;
    }),
  apply: (session, rows, names) => writeRows(session, drawsTable, names(drawsTable.name), rows),
  forget: async (session, key, names) => {
    const at = key.indexOf(SEPARATOR);
    await session.query(`delete from ${names(drawsTable.name)} where topology_id = $1 and node_id = $2`, [
      key.slice(0, at),
      key.slice(at + 1),
    ]);
  },
};
