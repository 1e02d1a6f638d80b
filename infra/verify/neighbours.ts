import type { EpochCommitment } from '../../domain/topology/draw.ts';
import type { NeighbourSelection } from '../../domain/topology/selection.ts';
import { type SelectionJson, selectionFromJson } from '../../domain/topology/selection-json.ts';
import { type NeighbourVerdict, verifySelection } from '../../domain/topology/verify-neighbours.ts';

const hasBytes = (selection: NeighbourSelection | SelectionJson): selection is NeighbourSelection =>
  typeof selection === 'object' && selection !== null && 'neighbours' in selection;

/**
 * Verifies which neighbours a node drew, from the selection's own data alone: the response of `POST /v1/fog/vrf/select`
 * as it is, or the same with its bytes as `Uint8Array`. Give what you know of the epoch from elsewhere (a log you have
 * verified) as `known`: a selection can be sound within and of an epoch that never was.
 */
export const verifyNeighbours = (
  selection: NeighbourSelection | SelectionJson,
  known: Partial<EpochCommitment> = {},
): NeighbourVerdict => {
  if (hasBytes(selection)) return verifySelection(selection, known);
  const parsed = selectionFromJson(selection);
  return parsed ? verifySelection(parsed, known) : { valid: false, reason: 'MALFORMED' };
};
