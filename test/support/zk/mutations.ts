import { bn254 } from '@noble/curves/bn254.js';
import { SAMPLE } from './sample.ts';

/** A proof with its inputs, altered in one place. */
export interface Mutation {
  readonly name: string;
  readonly proof: unknown;
  readonly publicInputs: readonly string[];
}

const { Fr, Fp } = bn254.fields;
const { proof, publicInputs } = SAMPLE;

const plus = (text: string, number: bigint): string => String(BigInt(text) + number);

const withInput = (index: number, value: string): readonly string[] => publicInputs.with(index, value);

const asG1 = (point: { toAffine(): { x: bigint; y: bigint } }): readonly string[] => {
  const { x, y } = point.toAffine();
  return [String(x), String(y), '1'];
};

type G2 = InstanceType<typeof bn254.G2.Point>;

const asG2 = (point: G2): readonly (readonly string[])[] => {
  const { x, y } = point.toAffine();
  return [
    [String(x.c0), String(x.c1)],
    [String(y.c0), String(y.c1)],
    ['1', '0'],
  ];
};

/** A point of the twist outside the subgroup of order r: almost every one is. */
const outsideSubgroup = (): G2 => {
  const { Fp2 } = bn254.fields;
  for (let c0 = 1n; ; c0++) {
    const x = { c0, c1: 0n };
    const right = Fp2.add(Fp2.mul(Fp2.sqr(x), x), bn254.G2.Point.CURVE().b);
    try {
      const point = bn254.G2.Point.fromAffine({ x, y: Fp2.sqrt(right) });
      if (!point.isTorsionFree()) return point;
    } catch {
      // Not a square: no point has this x.
    }
  }
};

const otherG1 = asG1(bn254.G1.Point.BASE);
const otherG2 = asG2(bn254.G2.Point.BASE);

/** Altered public inputs: each plus one, exchanged, one more, one less. */
export const INPUT_MUTATIONS: readonly Mutation[] = [
  ...publicInputs.map((value, index) => ({
    name: `input ${index} + 1`,
    proof,
    publicInputs: withInput(index, plus(value, 1n)),
  })),
  {
    name: 'two inputs exchanged',
    proof,
    publicInputs: withInput(1, publicInputs[2] as string).with(2, publicInputs[1] as string),
  },
  { name: 'one input less', proof, publicInputs: publicInputs.slice(1) },
  { name: 'one input more', proof, publicInputs: [...publicInputs, '0'] },
];

/** The same number modulo r under another name: what reduction would accept. */
export const ALIAS_MUTATIONS: readonly Mutation[] = publicInputs.map((value, index) => ({
  name: `input ${index} + r`,
  proof,
  publicInputs: withInput(index, plus(value, Fr.ORDER)),
}));

/** Altered points: each coordinate, another point, a negated one, off the curve, outside the subgroup, infinity. */
export const POINT_MUTATIONS: readonly Mutation[] = [
  ...(['pi_a', 'pi_c'] as const).flatMap((name) => [
    ...[0, 1].map((axis) => ({
      name: `${name}[${axis}] + 1: off the curve`,
      proof: { ...proof, [name]: proof[name].with(axis, plus(proof[name][axis] as string, 1n)) },
    })),
    { name: `${name}: another point`, proof: { ...proof, [name]: otherG1 } },
    {
      name: `${name} negated`,
      proof: { ...proof, [name]: proof[name].with(1, String(Fp.ORDER - BigInt(proof[name][1] as string))) },
    },
    { name: `${name}: infinity`, proof: { ...proof, [name]: ['0', '1', '0'] } },
  ]),
  ...[0, 1].flatMap((axis) =>
    [0, 1].map((part) => {
      const pair = proof.pi_b[axis] as readonly string[];
      return {
        name: `pi_b[${axis}][${part}] + 1: off the curve`,
        proof: { ...proof, pi_b: proof.pi_b.with(axis, pair.with(part, plus(pair[part] as string, 1n))) },
      };
    }),
  ),
  { name: 'pi_b: another point', proof: { ...proof, pi_b: otherG2 } },
  { name: 'pi_b: outside the subgroup', proof: { ...proof, pi_b: asG2(outsideSubgroup()) } },
  {
    name: 'pi_b with its parts exchanged, as the EVM has them',
    proof: { ...proof, pi_b: proof.pi_b.map((pair) => pair.toReversed()) },
  },
  { name: 'pi_a and pi_c exchanged', proof: { ...proof, pi_a: proof.pi_c, pi_c: proof.pi_a } },
].map((mutation) => ({ ...mutation, publicInputs }));

/** The same points under another name: coordinates plus q. */
export const COORDINATE_ALIASES: readonly Mutation[] = [
  ...(['pi_a', 'pi_c'] as const).flatMap((name) =>
    [0, 1].map((axis) => ({
      name: `${name}[${axis}] + q`,
      proof: { ...proof, [name]: proof[name].with(axis, plus(proof[name][axis] as string, Fp.ORDER)) },
      publicInputs,
    })),
  ),
  {
    name: 'pi_b[0][0] + q',
    proof: {
      ...proof,
      pi_b: proof.pi_b.with(0, [plus(proof.pi_b[0]?.[0] as string, Fp.ORDER), proof.pi_b[0]?.[1] as string]),
    },
    publicInputs,
  },
];
