import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { AttributeSchema } from '../../../domain/predicate/attributes.ts';
import type { PredicateContext } from '../../../domain/predicate/context.ts';
import { readPredicate } from '../../../domain/predicate/predicate.ts';
import { CIRCUIT_FILES } from '../../../infra/zk/circuit-files.ts';
import { type Circuits, createCircuits } from '../../../infra/zk/circuits.ts';
import { createWallet, newSecret } from '../../../infra/zk/prove.ts';
import { startToolProcess } from '../../../infra/zk/tool-process.ts';
import { findToolchain } from '../../../infra/zk/toolchain.ts';

/** Keys of test circuits, kept between runs: a set-up takes half a minute. */
const CACHE = '.aivillage/test-zk';

export const PERSON: AttributeSchema = {
  name: 'person',
  attributes: [
    { name: 'age', type: 'integer', bits: 8 },
    { name: 'country', type: 'text' },
    { name: 'trust', type: 'decimal', bits: 10, scale: 3 },
  ],
};

/** The example of the issue. */
export const ADULT = 'age >= 18 and country in ["DE","FR"] and trust >= 0.8';

export const testCircuits = async (): Promise<Circuits> =>
  createCircuits({ directory: CACHE, toolchain: await findToolchain() });

/** The key of a predicate's circuit, a wallet to prove with, an issuer and a holder. */
export const openZk = async (predicate = ADULT, schema = PERSON, circuits = testCircuits()) => {
  const read = readPredicate(predicate, schema);
  if (!read.ok) throw new Error(JSON.stringify(read.errors));
  const { shape, circuitId } = read.value;
  const { directory, facts } = await (await circuits).setUp(shape);
  const tools = startToolProcess();
  const wallet = createWallet(tools);
  const seed = randomBytes(32);
  const secret = newSecret();
  const holder = await wallet.commitmentOf(secret);
  const files = { wasm: join(directory, CIRCUIT_FILES.wasm), zkey: join(directory, CIRCUIT_FILES.zkey) };

  const context = (change: Partial<PredicateContext> = {}): PredicateContext => ({
    verifier: 'subject-verifier',
    nonce: randomBytes(16).toString('hex'),
    circuitId,
    keyHash: facts.transcript.keyHash,
    scope: 'test',
    issuedAt: '2026-01-01T00:00:00.000Z',
    expiresAt: '2026-01-01T00:30:00.000Z',
    ...change,
  });

  const issue = async (values: Record<string, string | number | boolean>) => {
    const issued = await wallet.issue({
      seed,
      schema,
      values,
      holder,
      expiresAt: '2027-01-01T00:00:00.000Z',
    });
    if (!issued.ok) throw new Error(JSON.stringify(issued.errors));
    return issued.value;
  };

  return { tools, wallet, seed, secret, files, facts, circuitId, predicate, schema, context, issue };
};

export type OpenZk = Awaited<ReturnType<typeof openZk>>;
