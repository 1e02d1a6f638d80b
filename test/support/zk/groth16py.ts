import { execFile } from 'node:child_process';
import { access } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { Mutation } from './mutations.ts';
import { SAMPLE } from './sample.ts';

const run = promisify(execFile);

/** An independent verifier: Rust and arkworks behind Python, from PyPI. */
const PACKAGE = 'groth16py==0.2.0';
const FOLDER = resolve('.aivillage', 'test-groth16py');
const PYTHONS = ['python3.11', 'python3', 'python'];

const PROGRAM = `
import json, sys
from groth16py import Verifier, VerifyingKey
given = json.load(sys.stdin)
verifier = Verifier(VerifyingKey.from_snarkjs(json.dumps(given["key"])))
def holds(one):
    try:
        return bool(verifier.verify_snarkjs(json.dumps(one["proof"]), json.dumps(one["publicInputs"])))
    except BaseException:
        return False
json.dump([holds(one) for one in given["proofs"]], sys.stdout)
`;

const install = async (): Promise<string> => {
  const python = join(FOLDER, 'bin', 'python');
  const imports = () => run(python, ['-c', 'import groth16py']);
  const ready = await access(python)
    .then(imports)
    .then(
      () => true,
      () => false,
    );
  if (ready) return python;
  let reason: unknown;
  for (const candidate of PYTHONS) {
    try {
      await run(candidate, ['-m', 'venv', FOLDER]);
      await run(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', PACKAGE]);
      await imports();
      return python;
    } catch (error) {
      reason = error;
    }
  }
  throw new Error(`no Python with ${PACKAGE}`, { cause: reason });
};

export type VerifyMany = (proofs: readonly Pick<Mutation, 'proof' | 'publicInputs'>[]) => Promise<boolean[]>;

/** Verifies against the key of the sample; or the reason why this machine cannot. */
export const openGroth16py = async (): Promise<VerifyMany | string> => {
  let python: string;
  try {
    python = await install();
  } catch (error) {
    return (error as Error).message;
  }
  return async (proofs) => {
    const child = run(python, ['-c', PROGRAM], { maxBuffer: 2 ** 24 });
    child.child.stdin?.end(JSON.stringify({ key: SAMPLE.verificationKey, proofs }));
    return JSON.parse((await child).stdout) as boolean[];
  };
};
