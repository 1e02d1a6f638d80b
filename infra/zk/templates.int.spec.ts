import { randomBytes } from 'node:crypto';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodeValue } from '../../domain/predicate/attributes.ts';
import { CREDENTIAL_CONSTRAINTS } from '../../domain/predicate/cost.ts';
import { FIELD_ORDER } from '../../domain/predicate/field.ts';
import type { Shape } from '../../domain/predicate/ir.ts';
import { readPredicate } from '../../domain/predicate/predicate.ts';
import { arbitraryPerson, arbitrarySample, SCHEMA } from '../../test/support/zk/predicates.ts';
import type { CircuitInput } from './child/protocol.ts';
import { statementSource } from './circuit-source.ts';
import { startToolProcess, type ToolProcess } from './tool-process.ts';
import { findToolchain, type Toolchain } from './toolchain.ts';

let tools: ToolProcess;
let toolchain: Toolchain;
let folder: string;

beforeAll(async () => {
  tools = startToolProcess();
  toolchain = await findToolchain();
  folder = await mkdtemp(join(tmpdir(), 'aivillage-zk-'));
});

afterAll(async () => {
  await tools.close();
  await rm(folder, { recursive: true });
});

let circuits = 0;

const compile = async (source: string, includes = toolchain.includes) => {
  const directory = join(folder, String(circuits++));
  await mkdir(directory);
  const compiled = await tools.run({ type: 'compile', source, includes, directory });
  const files = { wasm: join(directory, 'circuit.wasm'), r1cs: join(directory, 'circuit.r1cs') };
  return {
    ...compiled,
    accepts: async (input: CircuitInput) => (await tools.run({ type: 'check', ...files, input })).satisfied,
  };
};

/** A range check that checks nothing: what is left where one is dropped. */
const UNCHECKED = `template Unchecked(n) {
    signal input in;
    signal output {maxbit} out;
    out.maxbit = n;
    out <== in;
}
`;

const statement = (source: string): string => `pragma circom 2.2.0;
include "comparison.circom";
include "logic.circom";
${UNCHECKED}${source}
component main {public [literals]} = Statement();
`;

const read = (text: string) => {
  const result = readPredicate(text, SCHEMA);
  if (!result.ok) throw new Error(JSON.stringify(result.errors));
  return result.value;
};

const sourceOf = (shape: Shape): string => statementSource(shape).source;

describe('R49: no range check may be missing', () => {
  // ge: the literal stands left of <=, the attribute right; le: the other way round.
  const { shape } = read('age >= 18 and trust <= 0.5');
  const honest = { attributes: [30n, 0n, 400n, 0n, 0n, 0n, 0n, 0n], literals: [18n, 500n] };
  const witness = (change: { attribute?: [number, bigint]; literal?: [number, bigint] }): CircuitInput => ({
    attributes: change.attribute ? honest.attributes.with(...change.attribute) : honest.attributes,
    literals: change.literal ? honest.literals.with(...change.literal) : honest.literals,
  });
  const wrapped = FIELD_ORDER - 5n;
  const cases = [
    {
      check: 'RangeCheck(8)(attributes[0])',
      name: '2^n on the right',
      bad: witness({ attribute: [0, 256n] }),
    },
    {
      check: 'RangeCheck(8)(literals[0])',
      name: 'p - 5 on the left',
      bad: witness({ literal: [0, wrapped] }),
    },
    {
      check: 'RangeCheck(10)(attributes[2])',
      name: 'p - 5 on the left',
      bad: witness({ attribute: [2, wrapped] }),
    },
    { check: 'RangeCheck(10)(literals[1])', name: '2^n on the right', bad: witness({ literal: [1, 1024n] }) },
  ];

  test('the cases are all the checks there are', () => {
    const found = [...sourceOf(shape).matchAll(/RangeCheck\(\d+\)\(\w+\[\d+\]\)/g)].map(([check]) => check);
    expect(found.toSorted()).toEqual(cases.map(({ check }) => check).toSorted());
  });

  test('the circuit as it is takes the honest witness and none of the bad ones', async () => {
    const { accepts } = await compile(statement(sourceOf(shape)));
    expect(await accepts(honest)).toBe(true);
    for (const { bad, check } of cases) expect(await accepts(bad), check).toBe(false);
  });

  test.each(cases)('without $check, $name passes', async ({ check, bad }) => {
    const mutant = sourceOf(shape).replace(check, check.replace('RangeCheck', 'Unchecked'));
    const { accepts } = await compile(statement(mutant));
    expect(await accepts(honest)).toBe(true);
    expect(await accepts(bad)).toBe(true);
    for (const other of cases) if (other.check !== check) expect(await accepts(other.bad)).toBe(false);
  });

  test.each(cases)('left out altogether, $check does not even compile', async ({ check }) => {
    const operand = check.slice(check.indexOf('(', check.indexOf(')')) + 1, -1);
    const mutant = sourceOf(shape).replace(check, operand);
    await expect(compile(statement(mutant))).rejects.toThrow(/tag/i);
  });

  test('a template that no longer checks what it says', async () => {
    const templates = join(folder, 'templates');
    await cp(toolchain.includes[0] as string, templates, { recursive: true });
    const file = join(templates, 'comparison.circom');
    const mutant = (await readFile(file, 'utf8')).replace('bits.in <== in;', 'bits.in <== 0;');
    await writeFile(file, mutant);
    const { accepts } = await compile(statement(sourceOf(shape)), [
      templates,
      toolchain.includes[1] as string,
    ]);
    expect(await accepts(honest)).toBe(true);
    for (const { bad, check } of cases) expect(await accepts(bad), check).toBe(true);
  });
});

describe('R53: the credential', () => {
  const SLOTS = [1n, 2n, 3n, 0n, 0n, 0n, 0n, 0n];
  const source = `pragma circom 2.2.0;
include "credential.circom";
component main {public [context, scope, now, schema, issuer]} = Credential(8);
`;

  const signed = async (change: { expiry?: bigint; now?: bigint } = {}): Promise<CircuitInput> => {
    const { expiry = 2_000n, now = 1_000n } = change;
    const seed = randomBytes(32);
    const secret = 7n;
    const holder = await tools.run({ type: 'poseidon', inputs: [secret] });
    const inputs = [11n, holder, expiry, ...SLOTS];
    return {
      context: 5n,
      scope: 6n,
      now,
      schema: 11n,
      issuer: [...(await tools.run({ type: 'issuer-key', seed }))],
      secret,
      expiry,
      attributes: SLOTS,
      signature: [...(await tools.run({ type: 'sign', seed, inputs }))],
    };
  };

  const without = async (check: string) => {
    const templates = await mkdtemp(join(folder, 'mutant-'));
    await cp(toolchain.includes[0] as string, templates, { recursive: true });
    const file = join(templates, 'credential.circom');
    const text = await readFile(file, 'utf8');
    expect(text).toContain(check);
    await writeFile(file, text.replace(check, check.replace('RangeCheck', 'Unchecked')) + UNCHECKED);
    return compile(source, [templates, toolchain.includes[1] as string]);
  };

  const bad = {
    'RangeCheck(64)(now)': { now: FIELD_ORDER - 5n },
    'RangeCheck(64)(expiry)': { expiry: 2n ** 64n },
  };

  test('takes what an issuer signed, and nothing that was altered since', async () => {
    const { accepts, constraints } = await compile(source);
    const input = await signed();
    expect(await accepts(input)).toBe(true);
    expect(constraints).toBeLessThanOrEqual(CREDENTIAL_CONSTRAINTS);
    for (const [name, value] of Object.entries({
      schema: 12n,
      secret: 8n,
      expiry: 3_000n,
      attributes: SLOTS.with(0, 9n),
      signature: (input['signature'] as bigint[]).with(2, 1n),
      issuer: [...(await tools.run({ type: 'issuer-key', seed: randomBytes(32) }))],
    }))
      expect(await accepts({ ...input, [name]: value }), name).toBe(false);
    expect(await accepts({ ...input, now: 2_000n })).toBe(true);
    expect(await accepts({ ...input, now: 2_001n })).toBe(false);
    for (const change of Object.values(bad)) expect(await accepts(await signed(change))).toBe(false);
  });

  test.each(Object.entries(bad))('without %s, its bad witness passes', async (check, change) => {
    const { accepts } = await without(check);
    expect(await accepts(await signed())).toBe(true);
    expect(await accepts(await signed(change))).toBe(true);
  });
});

describe('circuit and plain evaluation agree', () => {
  const seed = 20_260_101;
  const samples = fc
    .sample(arbitrarySample, { numRuns: 40, seed })
    .flatMap((sample) => {
      const result = readPredicate(sample.text, SCHEMA);
      return result.ok ? [{ ...sample, predicate: result.value }] : [];
    })
    .toSorted((a, b) => b.predicate.literals.length - a.predicate.literals.length)
    .slice(0, 12);

  test.each(samples)('$text', async ({ holds, predicate }) => {
    const { accepts, constraints, publicInputs } = await compile(statement(sourceOf(predicate.shape)));
    for (const person of fc.sample(arbitraryPerson, { numRuns: 12, seed })) {
      const values = SCHEMA.attributes.map((each) => encodeValue(each, person[each.name] ?? '') as bigint);
      const attributes = [...values, 0n, 0n, 0n];
      expect(await accepts({ attributes, literals: predicate.literals })).toBe(holds(person));
    }
    // What the caps are judged by is never less than what the compiler makes, and little more.
    const estimate = predicate.cost.constraints - CREDENTIAL_CONSTRAINTS;
    expect(publicInputs).toBe(predicate.literals.length);
    expect(constraints).toBeLessThanOrEqual(estimate);
    expect(constraints).toBeGreaterThanOrEqual(estimate * 0.8 - 4);
  });
});
