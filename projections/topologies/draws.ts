import type { NeighboursSelected } from '../../domain/topology/events.ts';
import type { Projection } from '../projection.ts';
import { tableDdl, upsertSql, writeRows } from '../table.ts';
import { type DrawRow, drawsTable } from './table.ts';

/** One row per node and epoch: its draw with the proof. */
export const neighbourDraws: Projection<null, readonly DrawRow[]> = {
  name: 'neighbour_draws',
  version: 1,
  handles: ['topology.neighbours-selected'],
  tables: [drawsTable.name],
  ddl: (names) => tableDdl(drawsTable, names(drawsTable.name)),
  load: () => Promise.resolve(null),
  fold: (batch) =>
    batch.map(({ stream, position, data }) => {
      const { nodeId, index, output, proof, neighbours, selectedAt } = data as unknown as NeighboursSelected;
      return {
        topologyId: stream,
        nodeId,
        index,
        output,
        proof,
        neighbours,
        selectedAt,
        position: String(position),
      };
    }),
  apply: (session, rows, names) => writeRows(session, upsertSql(drawsTable, names(drawsTable.name)), rows),
};
