import { describe, expect, it } from 'vitest';
import { selectionToJson } from '../../domain/topology/selection-json.ts';
import { drawAmong } from '../../domain/topology/topology.fixture.ts';
import { type NeighbourSelection, verifyNeighbours } from './index.ts';

describe('verifyNeighbours', () => {
  const selection = drawAmong(12, 3);

  it('R98: takes a selection with its bytes, and as JSON, alike', () => {
    const verdict = verifyNeighbours(selection);
    expect(verdict.valid).toBe(true);
    expect(verifyNeighbours(selectionToJson(selection))).toEqual(verdict);
    const other = { ...selection, epoch: selection.epoch + 1 };
    expect(verifyNeighbours(other)).toEqual({ valid: false, reason: 'BAD_VRF_PROOF' });
    expect(verifyNeighbours(selectionToJson(other))).toEqual({ valid: false, reason: 'BAD_VRF_PROOF' });
    const known = { epoch: 8 };
    expect(verifyNeighbours(selectionToJson(selection), known)).toEqual({
      valid: false,
      reason: 'OTHER_EPOCH',
    });
  });

  it('R98: refuses what is no selection, whatever it is', () => {
    for (const foreign of [null, undefined, 5, 'text', [], {}, { neighbours: [] }, { vrf_proof: '00' }]) {
      expect(verifyNeighbours(foreign as unknown as NeighbourSelection)).toMatchObject({ valid: false });
    }
  });
});
