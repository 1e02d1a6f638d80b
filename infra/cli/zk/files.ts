import { writeFile } from 'node:fs/promises';
import { z } from 'zod';
import {
  attributesSchema,
  credentialSchema,
  issuerSchema,
  predicateText,
} from '../../../domain/predicate/schema.ts';
import { refuse } from '../failure.ts';
import { because, readInput } from '../files.ts';

const decimal = z.string().regex(/^(0|[1-9]\d{0,77})$/);
const hash = z.string().regex(/^[0-9a-f]{64}$/);

/** What a holder keeps: the secret behind every proof. */
export const holderFile = z.strictObject({ secret: decimal, commitment: decimal });
/** What an issuer keeps. */
export const issuerFile = z.strictObject({ seed: hash, key: issuerSchema });
export const publicKeyFile = z.union([
  issuerSchema,
  z.object({ key: issuerSchema }).transform(({ key }) => key),
]);
export { attributesSchema as schemaFile, credentialSchema as credentialFile };
export const valuesFile = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));

/** What a verifier hands to a holder. */
export const requestFile = z.strictObject({
  circuit_id: hash,
  key_hash: hash,
  verifier: z.string(),
  context: z.strictObject({
    predicate: predicateText,
    schema: attributesSchema.optional(),
    issuer: issuerSchema,
    scope: z.string(),
    nonce: z.string(),
    issued_at: z.string(),
    expires_at: z.string(),
  }),
});

export type ProofRequest = z.output<typeof requestFile>;

/** What a holder hands back. */
export const proofFile = z.strictObject({
  circuit_id: hash,
  proof: z.record(z.string(), z.unknown()),
  public_inputs: z.array(z.string()),
  context: requestFile.shape.context,
});

/** JSON of the user, from a file or standard input. @throws CliError that names option, file and field. */
export const readJson = async <S extends z.ZodType>(
  option: string,
  file: string,
  schema: S,
  stdin: AsyncIterable<Uint8Array>,
): Promise<z.output<S>> => {
  const bytes = await readInput(option, file, stdin);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw refuse(`${option} ${file}: not JSON`);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  // Fields only: a secret must not reach the terminal by way of an error.
  const fields = parsed.error.issues.map(({ path }) => path.join('.') || 'file');
  throw refuse(`${option} ${file}: not the right kind of file (${[...new Set(fields)].join(', ')})`);
};

/** Writes JSON that only its owner may read, and never over a file that exists. @throws CliError */
export const writePrivate = async (option: string, file: string, value: object): Promise<void> => {
  try {
    await writeFile(file, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw refuse(`${option} ${file}: exists already`);
    throw because(option, file, error);
  }
};
