import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readPredicate } from '../../domain/predicate/predicate.ts';
import { arbitrarySample, SCHEMA } from '../../test/support/zk/predicates.ts';
import { circuitSource, statementSource } from './circuit-source.ts';

const shapeOf = (text: string) => {
  const read = readPredicate(text, SCHEMA);
  if (!read.ok) throw new Error(JSON.stringify(read.errors));
  return read.value.shape;
};

describe('R49: circuits are composed of reviewed templates', () => {
  test('the example of the issue', () => {
    expect(
      statementSource(shapeOf('age >= 18 and country in ["DE","FR"] and trust >= 0.8')).source,
    ).toBe(`template Statement() {
    signal input attributes[8];
    signal input literals[4];

    signal {maxbit} a0 <== RangeCheck(8)(attributes[0]);
    signal {maxbit} l0 <== RangeCheck(8)(literals[0]);
    signal {binary} t0 <== LessEqual(8)(l0, a0);
    signal {maxbit} a2 <== RangeCheck(10)(attributes[2]);
    signal {maxbit} l1 <== RangeCheck(10)(literals[1]);
    signal {binary} t1 <== LessEqual(10)(l1, a2);
    signal {binary} t2 <== InSet(2)(attributes[1], [literals[2], literals[3]]);
    signal {binary} t3 <== And()(t0, t1);
    signal {binary} t4 <== And()(t3, t2);
    t4 === 1;
}
`);
  });

  test('every operand of a comparison passes exactly one range check, of its own width', () => {
    fc.assert(
      fc.property(arbitrarySample, ({ text }) => {
        const read = readPredicate(text, SCHEMA);
        if (!read.ok) return;
        const { source } = statementSource(read.value.shape);
        const checks = [...source.matchAll(/(\w+) <== RangeCheck\((\d+)\)\((\w+\[\d+\])\)/g)];
        const width = new Map(checks.map(([, name, bits]) => [name, bits]));
        expect(new Set(checks.map(([, , , checked]) => checked)).size).toBe(checks.length);
        const operands = [...source.matchAll(/LessEqual\((\d+)\)\((\w+), (\w+)\)/g)];
        for (const [, bits, left, right] of operands) {
          expect(width.get(left as string)).toBe(bits);
          expect(width.get(right as string)).toBe(bits);
        }
        expect(new Set(operands.flatMap(([, , left, right]) => [left, right])).size).toBe(checks.length);
      }),
    );
  });

  test('nothing that a caller wrote gets into the source', () => {
    const hostile = 'x"]; signal injected; //';
    const source = circuitSource(shapeOf(`country == ${JSON.stringify(hostile)}`));
    expect(source).not.toContain('injected');
    expect(source).toBe(circuitSource(shapeOf('country == "DE"')));
    const shapes: unknown[] = [
      ['eq', '0]; signal injected'],
      ['le', 0, '8)'],
      ['in', 0, 1.5],
      ['ge', -1, 8],
      ['le', 9, 8],
    ];
    for (const shape of shapes) expect(() => circuitSource(shape as never)).toThrow(RangeError);
  });
});
