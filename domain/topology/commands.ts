import type { DeadlineCommand } from '../decision.ts';
import type { NeighboursSelected, TopologyOpened } from './events.ts';

/** Announces an epoch; the engine plans it (`planEpochs`). */
export type OpenTopology = { readonly type: 'open' } & Omit<
  TopologyOpened,
  'type' | 'machineVersion' | 'openedAt'
>;

/** Records a draw that the engine has verified. */
export type RecordSelection = { readonly type: 'record-selection' } & Omit<
  NeighboursSelected,
  'type' | 'selectedAt'
>;

export type TopologyCommand = OpenTopology | RecordSelection | DeadlineCommand;
