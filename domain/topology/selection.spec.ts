import { bytesToHex } from '@noble/hashes/utils.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { connectable, mayConnect } from './accept-peer.ts';
import { candidateSet } from './candidate.ts';
import type { NeighbourSelection } from './selection.ts';
import { evaluateEpoch, selectionOf } from './selection.ts';
import { type SelectionJson, selectionFromJson, selectionToJson } from './selection-json.ts';
import { bystander, candidates, drawAmong, epochOver, keyOf, nodeName } from './topology.fixture.ts';
import { verifySelection } from './verify-neighbours.ts';

const SIZES = [1, 2, 6, 9, 10, 33];

const verdictOf = (json: unknown) => {
  const selection = selectionFromJson(json);
  return selection ? verifySelection(selection) : ({ valid: false, reason: 'MALFORMED' } as const);
};

/** Every scalar of a JSON value, with a copy of the whole in which it alone is another. */
const alterations = (value: unknown, alter: (leaf: unknown) => unknown): { at: string; copy: unknown }[] => {
  const walk = (
    node: unknown,
    at: string,
    rebuild: (leaf: unknown) => unknown,
  ): { at: string; copy: unknown }[] => {
    if (typeof node !== 'object' || node === null) return [{ at, copy: rebuild(alter(node)) }];
    return Object.entries(node).flatMap(([key, child]) =>
      walk(child, `${at}.${key}`, (leaf) => {
        if (Array.isArray(node)) return rebuild(node.with(Number(key), leaf));
        return rebuild({ ...node, [key]: leaf });
      }),
    );
  };
  return walk(value, '$', (leaf) => leaf);
};

const otherValue = (leaf: unknown): unknown => {
  if (typeof leaf === 'number') return leaf + 1;
  if (typeof leaf === 'boolean') return !leaf;
  const text = String(leaf);
  return text.slice(0, -1) + (text.endsWith('0') ? '1' : '0');
};

describe('a selection', () => {
  it.each(SIZES)('R98: of one of %i nodes verifies from its own data alone', (n) => {
    const selection = drawAmong(n, n - 1);
    const verdict = verifySelection(selection);
    expect(verdict).toEqual({
      valid: true,
      nodeId: nodeName(n - 1),
      neighbours: selection.neighbours.map(({ candidate }) => candidate.nodeId),
    });
    expect(selection.neighbours.length).toBe(Math.min(8, n - 1));
    expect(selection.takesAll).toBe(n <= 9);
    expect(selectionFromJson(JSON.parse(JSON.stringify(selectionToJson(selection))))).toEqual(selection);
  });

  it('R97: carries output, proof, epoch, beacon and the commitment to all candidates', () => {
    const json = selectionToJson(drawAmong(33, 5));
    expect(json).toMatchObject({ node_id: nodeName(5), epoch: 7, candidate_count: 33, network: 'test' });
    expect(json.vrf_output).toHaveLength(128);
    expect(json.vrf_proof).toHaveLength(160);
    expect(json.candidate_root).toHaveLength(64);
    expect(json.neighbors).toHaveLength(8);
  });

  it.each([6, 33])('R98: of one of %i nodes is refused when any value in it is another', (n) => {
    const json = selectionToJson(drawAmong(n, 2));
    expect(verdictOf(json).valid).toBe(true);
    const altered = alterations(json, otherValue);
    expect(altered.length).toBeGreaterThan(40);
    for (const { at, copy } of altered)
      expect({ at, ...verdictOf(copy) }).toMatchObject({ at, valid: false });
  });

  it('R98: tells what is wrong by a code of its own', () => {
    const selection = drawAmong(33, 5);
    const [first, second, ...others] = selection.neighbours;
    if (!first || !second) throw new Error('a draw among 33 has eight neighbours');
    const stranger = { ...first, candidate: { ...first.candidate, operator: 'subject-x' } };
    const reasonOf = (change: Partial<NeighbourSelection>) => {
      const verdict = verifySelection({ ...selection, ...change });
      return verdict.valid ? 'valid' : verdict.reason;
    };
    const zeros = new Uint8Array(32);
    expect(reasonOf({})).toBe('valid');
    expect(reasonOf({ suite: 'edwards25519-tai' })).toBe('UNSUPPORTED_SUITE');
    expect(reasonOf({ candidateRoot: zeros })).toBe('SELF_NOT_COMMITTED');
    expect(reasonOf({ self: { ...selection.self, index: 6 } })).toBe('SELF_NOT_COMMITTED');
    expect(reasonOf({ self: first })).toBe('BAD_VRF_PROOF');
    expect(reasonOf({ epoch: 8 })).toBe('BAD_VRF_PROOF');
    expect(reasonOf({ beacon: zeros })).toBe('BAD_VRF_PROOF');
    expect(reasonOf({ network: 'other' })).toBe('BAD_VRF_PROOF');
    expect(reasonOf({ output: new Uint8Array(64) })).toBe('OTHER_OUTPUT');
    expect(reasonOf({ neighbours: [first, second, ...others.slice(1)] })).toBe('WRONG_COUNT');
    expect(reasonOf({ neighbours: [second, first, ...others] })).toBe('WRONG_NEIGHBOUR');
    expect(reasonOf({ neighbours: [first, first, ...others] })).toBe('WRONG_NEIGHBOUR');
    expect(reasonOf({ neighbours: [stranger, second, ...others] })).toBe('NEIGHBOUR_NOT_COMMITTED');
    expect(reasonOf({ neighbours: [{ ...first, path: [] }, second, ...others] })).toBe(
      'NEIGHBOUR_NOT_COMMITTED',
    );
    expect(reasonOf({ beacon: new Uint8Array(31) })).toBe('MALFORMED');
    expect(reasonOf({ epoch: -1 })).toBe('MALFORMED');
    expect(reasonOf({ self: null as never })).toBe('MALFORMED');
  });

  it('R98: is held against what the verifier knows of the epoch', () => {
    const selection = drawAmong(10, 3);
    const { network, epoch, beacon, candidateRoot, candidateCount } = selection;
    const known = { network, epoch, beacon, candidateRoot, candidateCount };
    expect(verifySelection(selection, known).valid).toBe(true);
    for (const wrong of [
      { network: 'other' },
      { epoch: 6 },
      { beacon: candidateRoot },
      { candidateRoot: beacon },
      { candidateCount: 11 },
    ]) {
      expect(verifySelection(selection, { ...known, ...wrong })).toEqual({
        valid: false,
        reason: 'OTHER_EPOCH',
      });
    }
  });

  it('R96: is the same for any order of the candidates', () => {
    const members = candidates(20);
    const draws = [members, members.toReversed(), members.toSorted((a, b) => a.weight - b.weight)].map(
      (input) => {
        const set = candidateSet(input);
        const epoch = epochOver(set, 3);
        return selectionOf(epoch, set, nodeName(4), evaluateEpoch(keyOf(nodeName(4)), epoch));
      },
    );
    expect(draws[1]).toEqual(draws[0]);
    expect(draws[2]).toEqual(draws[0]);
  });

  it('R98: never throws and never accepts, whatever foreign JSON says', () => {
    const sound = selectionToJson(drawAmong(10, 3));
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(...Object.keys(sound)), (value, field) => {
        expect(verdictOf(value).valid).toBe(false);
        const copy = { ...sound, [field]: value } as unknown as SelectionJson;
        if (JSON.stringify(copy) !== JSON.stringify(sound)) expect(verdictOf(copy).valid).toBe(false);
        const { [field as keyof SelectionJson]: _, ...without } = sound;
        expect(verdictOf(without).valid).toBe(false);
      }),
    );
    expect(verdictOf({ ...sound, beacon: sound.beacon.toUpperCase() }).valid).toBe(false);
  });

  it('is for candidates of the epoch alone', () => {
    const set = candidateSet(candidates(3));
    const epoch = epochOver(set, 1);
    const evaluation = evaluateEpoch(keyOf('provider-x'), epoch);
    expect(() => selectionOf(epoch, set, 'provider-x', evaluation)).toThrow(RangeError);
    const smaller = candidateSet(candidates(2));
    expect(() => selectionOf(epoch, smaller, nodeName(0), evaluation)).toThrow(RangeError);
  });

  it('R94: is another one in each epoch', () => {
    const set = candidateSet(candidates(30));
    const draws = [1, 2].map((number) => {
      const epoch = epochOver(set, number);
      return bytesToHex(evaluateEpoch(keyOf(nodeName(0)), epoch).output);
    });
    expect(draws[0]).not.toBe(draws[1]);
  });

  it('R95: of one of 100,000 nodes is as sound and hardly longer', () => {
    const others = Array.from({ length: 99_999 }, (_, index) => bystander(index + 1));
    const set = candidateSet([...others, ...candidates(1)]);
    const epoch = epochOver(set, 1);
    const selection = selectionOf(epoch, set, nodeName(0), evaluateEpoch(keyOf(nodeName(0)), epoch));
    expect(verifySelection(selection, epoch)).toMatchObject({ valid: true, nodeId: nodeName(0) });
    expect(new Set(selection.neighbours.map(({ index }) => index)).size).toBe(8);
    expect(selection.neighbours.every(({ path }) => path.length <= 17)).toBe(true);
  });

  it('grows with the logarithm of the candidates', () => {
    const size = (n: number) => {
      const set = candidateSet([
        ...candidates(1),
        ...Array.from({ length: n - 1 }, (_, index) => bystander(index + 1)),
      ]);
      const epoch = epochOver(set, 1);
      const selection = selectionOf(epoch, set, nodeName(0), evaluateEpoch(keyOf(nodeName(0)), epoch));
      expect(verifySelection(selection).valid).toBe(true);
      return JSON.stringify(selectionToJson(selection)).length;
    };
    expect(size(2000)).toBeLessThan(2 * size(50));
  });
});

describe('who may connect', () => {
  const draw = (epoch: number, nodeId: string, ...neighbours: string[]) => ({ epoch, nodeId, neighbours });

  it('is whom either draw lists, seen alike from both ends', () => {
    const draws = [draw(5, 'a', 'b'), draw(5, 'c', 'a')];
    for (const [one, other, allowed] of [
      ['a', 'b', true],
      ['a', 'c', true],
      ['b', 'c', false],
      ['a', 'a', false],
    ] as const) {
      expect(mayConnect(one, other, draws, 5)).toBe(allowed);
      expect(mayConnect(other, one, draws, 5)).toBe(allowed);
    }
  });

  it('overlaps by one epoch: a draw holds in its own and in the next, in no other', () => {
    const draws = [draw(5, 'a', 'b')];
    expect([4, 5, 6, 7].map((epoch) => mayConnect('a', 'b', draws, epoch))).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });

  it('names all whom a node may be connected to, in either direction and in both epochs', () => {
    const draws = [draw(5, 'a', 'b'), draw(5, 'c', 'a'), draw(4, 'd', 'a', 'c'), draw(3, 'e', 'a')];
    expect(connectable('a', draws, 5)).toEqual(['b', 'c', 'd']);
    expect(connectable('c', draws, 5)).toEqual(['a', 'd']);
    expect(connectable('e', draws, 5)).toEqual([]);
    for (const other of connectable('a', draws, 5)) expect(connectable(other, draws, 5)).toContain('a');
  });
});
