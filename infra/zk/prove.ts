import { randomBytes } from 'node:crypto';
import { type FieldError, ok, type Result, reject } from '../../domain/errors.ts';
import { type AttributeSchema, type AttributeValue, checkSchema } from '../../domain/predicate/attributes.ts';
import { epochSeconds, type PredicateContext } from '../../domain/predicate/context.ts';
import { type Credential, signedInputs, slotsOf } from '../../domain/predicate/credential.ts';
import { holds } from '../../domain/predicate/evaluate.ts';
import type { IssuerKey } from '../../domain/predicate/issuer.ts';
import { readPredicate } from '../../domain/predicate/predicate.ts';
import { expectedInputs } from '../../domain/predicate/statement.ts';
import { isBefore } from '../../domain/time.ts';
import type { CircuitInput } from './child/protocol.ts';
import type { ToolProcess } from './tool-process.ts';

/** A proof with the inputs it is about, in the JSON form of snarkjs. */
export interface PredicateProof {
  readonly proof: object;
  readonly publicInputs: readonly string[];
}

export interface ProveRequest {
  readonly predicate: string;
  readonly context: PredicateContext;
  readonly credential: Credential;
  /** The holder's secret, decimal. */
  readonly secret: string;
  /** Paths of the circuit's witness program and proving key, checked by the caller. */
  readonly files: { readonly wasm: string; readonly zkey: string };
}

export interface IssueRequest {
  /** 32 bytes: the issuer's private key. */
  readonly seed: Uint8Array;
  readonly schema: AttributeSchema;
  readonly values: Readonly<Record<string, AttributeValue>>;
  /** Commitment of the holder, decimal. */
  readonly holder: string;
  readonly expiresAt: string;
}

/** Entropy of a holder's secret: 248 bits, so that every value is a field element. */
const SECRET_BYTES = 31;

/** A fresh holder's secret, decimal. */
export const newSecret = (): string => BigInt(`0x${randomBytes(SECRET_BYTES).toString('hex')}`).toString();

/** What holders and issuers do, on their own machines. */
export const createWallet = (tools: Pick<ToolProcess, 'run'>) => {
  const commitmentOf = async (secret: string): Promise<string> =>
    String(await tools.run({ type: 'poseidon', inputs: [BigInt(secret)] }));

  return {
    /** Poseidon(secret): what an issuer gets to know of a holder. */
    commitmentOf,

    /** The public key of an issuer's 32-byte seed. */
    issuerKeyOf: async (seed: Uint8Array): Promise<IssuerKey> => {
      const [x, y] = await tools.run({ type: 'issuer-key', seed });
      return { x: String(x), y: String(y) };
    },

    /** Signs a credential. Refusals name the value and the rule. */
    issue: async ({ seed, schema, values, holder, expiresAt }: IssueRequest): Promise<Result<Credential>> => {
      const usable = checkSchema(schema);
      if (!usable.ok) return usable;
      const slots = slotsOf(schema, values);
      if (!slots.ok) return slots;
      const inputs = signedInputs(schema, BigInt(holder), expiresAt, slots.value);
      const [x, y] = await tools.run({ type: 'issuer-key', seed });
      const [r8x, r8y, s] = await tools.run({ type: 'sign', seed, inputs });
      return ok({
        schema,
        values,
        holder,
        expiresAt,
        issuer: { x: String(x), y: String(y) },
        signature: [String(r8x), String(r8y), String(s)],
      });
    },

    /** Proves that the holder of `credential` fulfils the predicate, and says which rule it breaks when not. */
    prove: async (request: ProveRequest): Promise<Result<PredicateProof>> => {
      const { credential, context, secret, files } = request;
      const { schema, issuer, expiresAt, signature } = credential;
      const predicate = readPredicate(request.predicate, schema);
      if (!predicate.ok) return predicate;
      const slots = slotsOf(schema, credential.values);
      if (!slots.ok) return slots;
      const errors: FieldError[] = [];
      if (predicate.value.circuitId !== context.circuitId)
        errors.push({
          field: 'context.circuitId',
          rule: `${predicate.value.circuitId}, as the predicate says`,
        });
      if ((await commitmentOf(secret)) !== credential.holder)
        errors.push({ field: 'secret', rule: 'the secret of the holder of the credential' });
      if (isBefore(expiresAt, context.issuedAt)) errors.push({ field: 'credential', rule: 'not expired' });
      if (!holds(predicate.value.ir, slots.value))
        errors.push({ field: 'predicate', rule: 'one that the credential fulfils' });
      if (errors.length > 0) return reject('INVALID_REQUEST', 'this cannot be proved', errors);

      const open = expectedInputs({ predicate: predicate.value, schema, issuer, context });
      const [contextValue, scope, now, schemaValue, x, y, ...literals] = open.map(({ value }) => value) as [
        ...[bigint, bigint, bigint, bigint, bigint, bigint],
        ...bigint[],
      ];
      const input: CircuitInput = {
        context: contextValue,
        scope,
        now,
        schema: schemaValue,
        issuer: [x, y],
        literals,
        secret: BigInt(secret),
        expiry: epochSeconds(expiresAt),
        attributes: slots.value,
        signature: signature.map(BigInt),
      };
      const proved = await tools.run({ type: 'prove', ...files, input });
      if (!proved.satisfied) {
        return reject('INVALID_REQUEST', 'this cannot be proved', [
          { field: 'credential', rule: 'signed by its issuer' },
        ]);
      }
      return ok({ proof: proved.proof, publicInputs: proved.publicInputs });
    },
  };
};

export type Wallet = ReturnType<typeof createWallet>;
