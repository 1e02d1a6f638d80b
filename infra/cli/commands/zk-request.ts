import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { type Command, InvalidArgumentError } from 'commander';
import { addSeconds, instant } from '../../../domain/time.ts';
import type { SubmittedPredicate, ZkClient } from '../client/zk-client.ts';
import type { CliContext } from '../context.ts';
import { CliError } from '../failure.ts';
import { isStandard, writeOutput } from '../files.ts';
import { write, writeLines } from '../write.ts';
import { type ProofRequest, publicKeyFile, readJson, schemaFile } from '../zk/files.ts';

interface Options {
  readonly predicate: string;
  readonly issuer: string;
  readonly scope: string;
  readonly schema?: string;
  readonly minutes: number;
  readonly output: string;
}

const POLL_MS = 1_000;
const MINUTES = { default: 30, most: 60 };

const minutes = (value: string): number => {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 1 || number > MINUTES.most)
    throw new InvalidArgumentError(`It must be a whole number from 1 to ${MINUTES.most}.`);
  return number;
};

/** Submits until the circuit has its key: a minute of the engine's time for a new one, nothing for a known one. */
const ready = async (
  zk: ZkClient,
  request: Parameters<ZkClient['submit']>[0],
  tell: (state: string) => Promise<void>,
): Promise<SubmittedPredicate & { readonly key_hash: string }> => {
  let told = '';
  for (;;) {
    const submitted = await zk.submit(request);
    const { state, key_hash, failure } = submitted;
    if (key_hash !== null) return { ...submitted, key_hash };
    if (state === 'failed') throw new CliError(`The circuit could not be made: ${failure ?? 'unknown'}`);
    if (state !== told) await tell(state);
    told = state;
    await delay(POLL_MS);
  }
};

/** What a verifier does before it asks: has the circuit made, and writes down what it wants to know and for what. */
export const addZkRequest = (parent: Command, context: CliContext): void => {
  parent
    .command('request')
    .description('write down what a holder shall prove to you, once')
    .requiredOption('--predicate <text>', 'such as: age >= 18 and country in ["DE","FR"]')
    .requiredOption('--issuer <file>', 'public key of the issuer you trust')
    .requiredOption('--scope <text>', 'a holder can prove once in it')
    .option('--schema <file>', 'attributes and their types; age, country and trust unless given')
    .option('--minutes <number>', 'how long the request holds', minutes, MINUTES.default)
    .option('--output <file>', 'the request; - for standard output', '-')
    .action(async (options: Options) => {
      const { stdin, stdout, stderr } = context;
      const { predicate, scope } = options;
      const issuer = await readJson('--issuer', options.issuer, publicKeyFile, stdin);
      const schema =
        options.schema === undefined
          ? undefined
          : await readJson('--schema', options.schema, schemaFile, stdin);
      const { zk } = await context.engine();
      const made = await context.interruptible(
        ready(zk, { predicate, ...(schema && { schema }) }, (state) =>
          writeLines(stderr, [`circuit: ${state}`]),
        ),
        () => 'The circuit goes on without you; the same command finds it later.',
      );
      const issuedAt = instant(Date.now());
      const request: ProofRequest = {
        circuit_id: made.circuit_id,
        key_hash: made.key_hash,
        verifier: made.verifier,
        context: {
          predicate,
          ...(schema && { schema }),
          issuer,
          scope,
          nonce: randomBytes(32).toString('hex'),
          issued_at: issuedAt,
          expires_at: addSeconds(issuedAt, options.minutes * 60),
        },
      };
      const text = `${JSON.stringify(request, null, 2)}\n`;
      if (isStandard(options.output)) await write(stdout, text);
      else await writeOutput('--output', options.output, Buffer.from(text));
    });
};
