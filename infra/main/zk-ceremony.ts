import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import type { Result } from '../../domain/errors.ts';
import { readPredicate } from '../../domain/predicate/predicate.ts';
import { attributesSchema } from '../../domain/predicate/schema.ts';
import { STANDARD_SCHEMA } from '../../domain/predicate/standard-schema.ts';
import { loadSettings } from '../config/config.ts';
import { createCeremony } from '../zk/ceremony.ts';
import { createCircuits } from '../zk/circuits.ts';
import { findToolchain } from '../zk/toolchain.ts';

const say = (line: string): void => void process.stdout.write(`${line}\n`);

const open = async (folder: string) => {
  const toolchain = await findToolchain();
  const circuits = createCircuits({ directory: join(loadSettings(process.env).home, 'zk'), toolchain });
  return createCeremony({
    folder: resolve(folder),
    toolchain,
    circuits,
    onProgress: (step) => void process.stderr.write(`${step} …\n`),
  });
};

const valueOf = <T>(result: Result<T>): T => {
  if (result.ok) return result.value;
  const rules = (result.errors ?? []).map(({ field, rule }) => `  ${field}: ${rule}`);
  return program.error([result.message, ...rules].join('\n'));
};

const program = new Command('zk:ceremony')
  .description(
    'Make the key of a circuit together: start, contribute in turn, then finish with a public beacon',
  )
  .showHelpAfterError();

program
  .command('start')
  .description('compile the circuit of a predicate and contribute first')
  .argument('<folder>', 'the files of the ceremony; hand the whole folder on')
  .requiredOption('--predicate <text>')
  .option('--schema <file>', 'attributes and their types; age, country and trust unless given')
  .requiredOption('--name <name>', 'who contributes')
  .action(async (folder: string, options: { predicate: string; schema?: string; name: string }) => {
    const schema =
      options.schema === undefined
        ? STANDARD_SCHEMA
        : attributesSchema.parse(JSON.parse(await readFile(options.schema, 'utf8')));
    const { shape, circuitId } = valueOf(readPredicate(options.predicate, schema));
    const [hash] = valueOf(await (await open(folder)).start(shape, options.name));
    say(`circuit ${circuitId}\ncontribution ${hash}`);
  });

program
  .command('contribute')
  .description('add a secret that is made and forgotten here')
  .argument('<folder>')
  .requiredOption('--name <name>', 'who contributes')
  .action(async (folder: string, { name }: { name: string }) => {
    const hashes = valueOf(await (await open(folder)).contribute(name));
    say(`contribution ${hashes.at(-1)}`);
  });

program
  .command('finish')
  .description('close with a beacon that nobody could know before, and give the key to this engine')
  .argument('<folder>')
  .requiredOption('--beacon <hex>', 'such as a later block hash that was agreed on')
  .action(async (folder: string, { beacon }: { beacon: string }) => {
    const { facts } = valueOf(await (await open(folder)).finish(beacon));
    say(JSON.stringify(facts.transcript, null, 2));
  });

await program.parseAsync();
