import { type Command, InvalidArgumentError } from 'commander';
import { fromHex } from '../../verify/bytes.ts';
import { MalformedError } from '../../verify/der.ts';
import {
  type EcvrfSuite,
  type EpochCommitment,
  ecvrfVerify,
  type SelectionJson,
  verifyNeighbours,
} from '../../verify/index.ts';
import type { CliContext } from '../context.ts';
import { EXIT, refuse } from '../failure.ts';
import { readInput } from '../files.ts';
import { whole } from '../options.ts';
import { counted, shown } from '../render/text.ts';
import { writeLines } from '../write.ts';

interface Options {
  readonly network?: string;
  readonly epoch?: number;
  readonly beacon?: Uint8Array;
  readonly root?: Uint8Array;
  readonly count?: number;
  readonly json?: true;
}

/** A verdict as it is printed: one JSON object, or lines for a person. */
interface Report {
  readonly valid: boolean;
  readonly json: object;
  readonly lines: readonly string[];
}

/** The longest selection takes less: eight neighbours with paths in a tree of 2^53 leaves. */
const LONGEST_HEX = 1 << 20;

const bytesOf = (value: unknown): Uint8Array | null => {
  try {
    return typeof value === 'string' ? fromHex(value, LONGEST_HEX) : null;
  } catch (error) {
    if (error instanceof MalformedError) return null;
    throw error;
  }
};

const hash = (value: string): Uint8Array => {
  const bytes = bytesOf(value);
  if (bytes?.length !== 32) throw new InvalidArgumentError('It must be 32 bytes in hex.');
  return bytes;
};

const objectIn = (file: string, bytes: Uint8Array): Record<string, unknown> => {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw refuse(`${file}: no JSON object`);
};

/** A proof by itself: `{ suite, public_key, alpha, proof }`, bytes in hex. */
const checkProof = ({ suite, public_key, alpha, proof }: Record<string, unknown>): Report => {
  const [publicKey, input, pi] = [public_key, alpha, proof].map(bytesOf);
  const output =
    publicKey && input && pi
      ? ecvrfVerify({ suite: suite as EcvrfSuite, publicKey, alpha: input, proof: pi })
      : null;
  const beta = output && Buffer.from(output).toString('hex');
  return {
    valid: beta !== null,
    json: { valid: beta !== null, beta },
    lines: beta === null ? ['Proof: NOT valid'] : ['Proof: valid', `Output     ${beta}`],
  };
};

const checkSelection = (selection: SelectionJson, known: Partial<EpochCommitment>): Report => {
  const verdict = verifyNeighbours(selection, known);
  if (!verdict.valid)
    return { valid: false, json: verdict, lines: [`Selection: NOT valid (${verdict.reason})`] };
  const { nodeId, neighbours } = verdict;
  const from =
    Object.keys(known).length > 0 ? 'as given' : 'as the file itself says: compare it with the log';
  return {
    valid: true,
    json: { valid: true, node_id: nodeId, neighbors: neighbours },
    lines: [
      'Selection: valid',
      `Node       ${nodeId}`,
      `Epoch      ${selection.epoch} of ${selection.network}, ${from}`,
      counted(neighbours.length, 'neighbour'),
      ...neighbours.map((neighbour) => `  ${neighbour}`),
    ],
  };
};

const verify = async (file: string, options: Options, { stdin, stdout, exit }: CliContext): Promise<void> => {
  const { network, epoch, beacon, root: candidateRoot, count: candidateCount, json } = options;
  const known = {
    ...(network !== undefined && { network }),
    ...(epoch !== undefined && { epoch }),
    ...(beacon && { beacon }),
    ...(candidateRoot && { candidateRoot }),
    ...(candidateCount !== undefined && { candidateCount }),
  };
  const value = objectIn(file, await readInput('FILE', file, stdin));
  const report =
    'alpha' in value ? checkProof(value) : checkSelection(value as unknown as SelectionJson, known);
  await writeLines(stdout, json ? [JSON.stringify(report.json)] : report.lines.map(shown));
  exit(report.valid ? EXIT.ok : EXIT.failed);
};

/** Verification of draws from a file alone: no engine, no network. */
export const addVrfVerify = (program: Command, context: CliContext): void => {
  program
    .command('vrf')
    .description('check how nodes drew their neighbours')
    .command('verify')
    .description(
      'verify a selection (the answer of POST /v1/fog/vrf/select) or a bare proof; exits with 0 when it is valid, with 1 when it is not',
    )
    .argument('<file>', 'JSON; - for standard input')
    .option('--network <name>', 'the network that it must be of')
    .option('--epoch <number>', 'the epoch that it must be of', whole)
    .option('--beacon <hex>', 'the beacon of that epoch, from a log that you trust', hash)
    .option('--root <hex>', 'the root of its candidates, from a log that you trust', hash)
    .option('--count <number>', 'the number of its candidates', whole)
    .option('--json', 'print one JSON object and nothing else')
    .action((file: string, options: Options) => verify(file, options, context));
};
