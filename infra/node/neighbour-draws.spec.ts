import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import { expect, it } from 'vitest';
import { candidateSet } from '../../domain/topology/candidate.ts';
import { selectionOf } from '../../domain/topology/selection.ts';
import { candidates, epochOver, keyOf, nodeName } from '../../domain/topology/topology.fixture.ts';
import { verifyNeighbours } from '../verify/index.ts';
import { createNeighbourDraws } from './neighbour-draws.ts';

const set = candidateSet(candidates(12));
const request = (epoch: number, network = 'test') => {
  const { beacon, candidateRoot, candidateCount } = epochOver(set, epoch);
  return {
    type: 'draw-neighbours',
    network,
    epoch,
    beacon: bytesToHex(beacon),
    candidateRoot: bytesToHex(candidateRoot),
    candidateCount,
  } as const;
};

it('draws what the epoch gives this key, provably', () => {
  const draw = createNeighbourDraws(keyOf(nodeName(3))).draw(request(5));
  if (!('output' in draw)) throw new Error('refused');
  const evaluation = { output: hexToBytes(draw.output), proof: hexToBytes(draw.proof) };
  const epoch = epochOver(set, 5);
  const selection = selectionOf(epoch, set, nodeName(3), evaluation);
  expect(verifyNeighbours(selection, epoch)).toMatchObject({ valid: true, nodeId: nodeName(3) });
});

it('answers the same request again, and refuses another commitment of the same epoch', () => {
  const draws = createNeighbourDraws(keyOf(nodeName(3)));
  const first = draws.draw(request(5));
  expect(draws.draw(request(5))).toEqual(first);
  for (const other of [
    { beacon: '00'.repeat(32) },
    { candidateRoot: '00'.repeat(32) },
    { candidateCount: 11 },
  ]) {
    expect(draws.draw({ ...request(5), ...other })).toMatchObject({ ok: false, code: 'CONFLICT' });
  }
  expect(draws.draw(request(6))).not.toEqual(first);
  expect(draws.draw(request(5, 'other'))).not.toEqual(first);
});

it('remembers what is in force and forgets what is long past', () => {
  const draws = createNeighbourDraws(keyOf(nodeName(3)));
  for (let epoch = 0; epoch < 40; epoch++) draws.draw(request(epoch));
  expect(draws.draw({ ...request(39), candidateCount: 11 })).toMatchObject({ code: 'CONFLICT' });
  expect(draws.draw({ ...request(38), candidateCount: 11 })).toMatchObject({ code: 'CONFLICT' });
  expect(draws.draw({ ...request(0), candidateCount: 11 })).toMatchObject({ type: 'neighbours-drawn' });
});
