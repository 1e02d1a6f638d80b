import type { Command } from 'commander';
import type { PredicateContext } from '../../../domain/predicate/context.ts';
import { MalformedError } from '../../verify/der.ts';
import { keyHashOf } from '../../verify/index.ts';
import { KeyFileError, keyFiles } from '../../zk/key-files.ts';
import type { ZkClient } from '../client/zk-client.ts';
import type { CliContext } from '../context.ts';
import { CliError, refuse } from '../failure.ts';
import { isStandard, writeOutput } from '../files.ts';
import { write } from '../write.ts';
import { credentialFile, holderFile, type ProofRequest, readJson, requestFile } from '../zk/files.ts';
import { accepted, withWallet } from '../zk/wallet.ts';

interface Options {
  readonly request: string;
  readonly credential: string;
  readonly holder: string;
  readonly output: string;
}

const keyHash = (key: unknown): string | null => {
  try {
    return keyHashOf(key);
  } catch (error) {
    if (error instanceof MalformedError) return null;
    throw error;
  }
};

/** The files to prove with: of the very key that the verifier named. */
const filesOf = async (zk: ZkClient, request: ProofRequest, directory: string) => {
  const circuit = await zk.circuit(request.circuit_id);
  if (!circuit?.transcript) throw refuse('--request: the engine has no such circuit, or no key for it yet');
  if (
    circuit.transcript.keyHash !== request.key_hash ||
    keyHash(circuit.verification_key) !== request.key_hash
  )
    throw refuse('--request: the engine publishes another key for this circuit');
  try {
    return await keyFiles(directory, circuit.transcript, (name) => zk.file(request.circuit_id, name));
  } catch (error) {
    if (error instanceof KeyFileError) throw new CliError(error.message);
    throw error;
  }
};

/** Proves on this machine. Credential and secret are read here and go nowhere; the engine only hands out its keys. */
export const addZkProve = (parent: Command, context: CliContext): void => {
  parent
    .command('prove')
    .description('prove what a verifier asked for; credential and secret stay on this machine')
    .requiredOption('--request <file>', 'what the verifier asked for (zk request); - for standard input')
    .requiredOption('--credential <file>', 'your credential')
    .requiredOption('--holder <file>', 'your secret')
    .option('--output <file>', 'the proof; - for standard output', '-')
    .action(async (options: Options) => {
      const { stdin, stdout } = context;
      const request = await readJson('--request', options.request, requestFile, stdin);
      const credential = await readJson('--credential', options.credential, credentialFile, stdin);
      const { secret } = await readJson('--holder', options.holder, holderFile, stdin);
      const { issuer } = request.context;
      if (issuer.x !== credential.issuer.x || issuer.y !== credential.issuer.y)
        throw refuse('--credential: by another issuer than the verifier asks for');
      const { zk, zkDirectory } = await context.engine();
      const files = await filesOf(zk, request, zkDirectory);
      const asked: PredicateContext = {
        verifier: request.verifier,
        nonce: request.context.nonce,
        circuitId: request.circuit_id,
        keyHash: request.key_hash,
        scope: request.context.scope,
        issuedAt: request.context.issued_at,
        expiresAt: request.context.expires_at,
      };
      const { predicate } = request.context;
      const proved = await withWallet((wallet) =>
        wallet.prove({ predicate, context: asked, credential, secret, files }),
      );
      const { proof, publicInputs } = accepted(proved);
      const claim = {
        circuit_id: request.circuit_id,
        proof,
        public_inputs: publicInputs,
        context: request.context,
      };
      const text = `${JSON.stringify(claim, null, 2)}\n`;
      if (isStandard(options.output)) await write(stdout, text);
      else await writeOutput('--output', options.output, Buffer.from(text));
    });
};
