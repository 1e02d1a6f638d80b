import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { ok, type Rejection, type Result, reject } from '../errors.ts';
import { canonicalJson } from '../json.ts';
import { type AttributeSchema, checkSchema } from './attributes.ts';
import { type Cost, costOf } from './cost.ts';
import { type Ir, literalsOf, type Shape, shapeOf } from './ir.ts';
import { PREDICATE_LIMITS } from './limits.ts';
import { parse } from './parse.ts';
import { resolve } from './resolve.ts';
import type { SyntaxFault } from './tokens.ts';

/** Raised with every change of the templates: other constraints are another circuit. */
const TEMPLATES_VERSION = 1;

/** A predicate that has been read, checked and brought into its canonical form. */
export interface Predicate {
  readonly ir: Ir;
  readonly shape: Shape;
  /** Hex SHA-256 of the shape: predicates that differ in their literals alone share it, and so a key. */
  readonly circuitId: string;
  /** Public inputs from `FIXED_PUBLIC_INPUTS` on. */
  readonly literals: readonly bigint[];
  readonly cost: Cost;
}

/** Which circuit proves predicates of this shape. */
export const circuitIdOf = (shape: Shape): string =>
  bytesToHex(
    sha256(utf8ToBytes(`aivillage-predicate-circuit-v${TEMPLATES_VERSION}\n${canonicalJson(shape)}`)),
  );

const refused = (faults: readonly SyntaxFault[]): Rejection =>
  reject(
    'INVALID_REQUEST',
    'the predicate is not usable',
    faults.map(({ at, rule }) => ({ field: 'predicate', rule: `character ${at}: ${rule}` })),
  );

/** Reads a predicate over a schema. Refusals name the field, the character and the rule; nothing is compiled yet. */
export const readPredicate = (text: string, schema: AttributeSchema): Result<Predicate> => {
  const usable = checkSchema(schema);
  if (!usable.ok) return usable;
  const expression = parse(text);
  if ('at' in expression) return refused([expression]);
  const resolved = resolve(expression, schema);
  if ('faults' in resolved) return refused(resolved.faults);
  const ir = resolved.folded;
  if (typeof ir === 'boolean') {
    return refused([{ at: 1, rule: `a condition that can fail and can hold; this one is always ${ir}` }]);
  }
  const cost = costOf(ir);
  const { publicInputs, constraints } = PREDICATE_LIMITS;
  if (cost.publicInputs > publicInputs) {
    return refused([
      { at: 1, rule: `at most ${publicInputs} public inputs; this one needs ${cost.publicInputs}` },
    ]);
  }
  if (cost.constraints + cost.publicInputs > constraints) {
    return refused([
      {
        at: 1,
        rule: `at most ${constraints - cost.publicInputs} constraints; this one needs ${cost.constraints}`,
      },
    ]);
  }
  const shape = shapeOf(ir);
  return ok({ ir, shape, circuitId: circuitIdOf(shape), literals: literalsOf(ir), cost });
};
