import { randomBytes } from 'node:crypto';
import { type Command, InvalidArgumentError } from 'commander';
import { STANDARD_SCHEMA } from '../../../domain/predicate/standard-schema.ts';
import { addSeconds, instant } from '../../../domain/time.ts';
import { newSecret } from '../../zk/prove.ts';
import type { CliContext } from '../context.ts';
import { writeLines } from '../write.ts';
import { issuerFile, readJson, schemaFile, valuesFile, writePrivate } from '../zk/files.ts';
import { accepted, withWallet } from '../zk/wallet.ts';

interface IssueOptions {
  readonly issuer: string;
  readonly holder: string;
  readonly values: string;
  readonly schema?: string;
  readonly expires?: string;
  readonly output: string;
}

const YEAR_SECONDS = 365 * 24 * 3600;

const commitment = (value: string): string => {
  if (!/^(0|[1-9]\d{0,77})$/.test(value))
    throw new InvalidArgumentError('It must be the number that new-holder has printed.');
  return value;
};

const expiry = (value: string): string => {
  const ms = Date.parse(value);
  if (Number.isNaN(ms)) throw new InvalidArgumentError('It must be an instant, as RFC 3339 has it.');
  return instant(ms);
};

/** Keys and credentials, made and kept on this machine: nothing is sent anywhere. */
export const addZkCredential = (zk: Command, { stdin, stdout }: CliContext): void => {
  const credential = zk
    .command('credential')
    .description('keys and credentials of issuers and holders, kept here');

  credential
    .command('new-holder')
    .description('make a holder’s secret; prints the commitment that an issuer needs')
    .argument('<file>', 'to keep it in; only you may read it')
    .action((file: string) =>
      withWallet(async (wallet) => {
        const secret = newSecret();
        const holder = await wallet.commitmentOf(secret);
        await writePrivate('FILE', file, { secret, commitment: holder });
        await writeLines(stdout, [holder]);
      }),
    );

  credential
    .command('new-issuer')
    .description('make an issuer’s key; prints the public key that verifiers need')
    .argument('<file>', 'to keep it in; only you may read it')
    .action((file: string) =>
      withWallet(async (wallet) => {
        const seed = randomBytes(32);
        const key = await wallet.issuerKeyOf(seed);
        await writePrivate('FILE', file, { seed: seed.toString('hex'), key });
        await writeLines(stdout, [JSON.stringify(key)]);
      }),
    );

  credential
    .command('issue')
    .description('sign a credential for a holder')
    .requiredOption('--issuer <file>', 'the issuer’s key')
    .requiredOption('--holder <commitment>', 'as new-holder has printed it', commitment)
    .requiredOption('--values <file>', 'JSON object with a value for every attribute; - for standard input')
    .option('--schema <file>', 'attributes and their types; age, country and trust unless given')
    .option('--expires <instant>', 'in a year unless given', expiry)
    .requiredOption('--output <file>', 'the credential; only you may read it')
    .action((options: IssueOptions) =>
      withWallet(async (wallet) => {
        const { seed } = await readJson('--issuer', options.issuer, issuerFile, stdin);
        const values = await readJson('--values', options.values, valuesFile, stdin);
        const schema =
          options.schema === undefined
            ? STANDARD_SCHEMA
            : await readJson('--schema', options.schema, schemaFile, stdin);
        const issued = await wallet.issue({
          seed: Buffer.from(seed, 'hex'),
          schema,
          values,
          holder: options.holder,
          expiresAt: options.expires ?? addSeconds(instant(Date.now()), YEAR_SECONDS),
        });
        await writePrivate('--output', options.output, accepted(issued));
      }),
    );
};
