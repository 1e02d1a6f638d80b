import { bytesToHex } from '@noble/hashes/utils.js';
import type { z } from 'zod';
import { type FieldError, ok, type Rejection, type Result, reject } from '../../../domain/errors.ts';
import type { AvailabilityProof, AvailabilityTerms } from '../../../domain/proof/availability-record.ts';
import { chunkTree } from '../../../domain/proof/chunks.ts';
import type { SlaTerms } from '../../../domain/proof/sla-record.ts';
import type { Provider } from '../../../domain/provider/fold.ts';
import type { RouteDependencies } from '../../dependencies.ts';
import { fieldErrors } from '../../field-errors.ts';

/** Where a proof that rests on observers says what is measured. */
export const TERMS = 'evidence.record.terms';

export const unsound = (field: string, rule: string): Rejection =>
  reject('PROOF_VERIFICATION_FAILED', 'the evidence does not fit what the log knows', [{ field, rule }]);

/** Evidence by the schema of its type; a refusal names every field that breaks a rule. */
export const parseEvidence = <S extends z.ZodType>(schema: S, evidence: unknown): Result<z.infer<S>> => {
  const parsed = schema.safeParse(evidence);
  if (parsed.success) return ok(parsed.data);
  const issues = parsed.error.issues.map((issue) => ({ ...issue, path: ['evidence', ...issue.path] }));
  const errors: FieldError[] = fieldErrors(issues, { evidence }, 'evidence');
  return reject('INVALID_REQUEST', 'the evidence has not the form of its type', errors);
};

/**
 * What a stranger cannot tell from the proof alone: that the key is the provider's, and that its observers are nodes of
 * other owners, each of another.
 */
export const partiesFault = async (
  providers: Pick<RouteDependencies['providers'], 'findAll'>,
  { providerId, providerKey, observers }: SlaTerms | AvailabilityTerms,
): Promise<Rejection | null> => {
  const found = await providers.findAll([providerId, ...observers.map(({ id }) => id)]);
  const known = new Map<string, Provider>(found.map((provider) => [provider.providerId, provider]));
  const provider = known.get(providerId);
  if (provider?.publicKey !== providerKey) return unsound(`${TERMS}.providerKey`, 'the key of the provider');
  const owners = new Set([provider.owner]);
  for (const [index, { id, key }] of observers.entries()) {
    const observer = known.get(id);
    if (observer?.publicKey !== key || owners.has(observer.owner))
      return unsound(`${TERMS}.observers.${index}`, 'a registered node, of an owner of its own');
    owners.add(observer.owner);
  }
  return null;
};

/** The chunks must be those of a stored artefact: a root that nobody can compute again proves nothing. */
export const chunksFault = async (
  artifacts: Pick<RouteDependencies['artifacts'], 'read'>,
  { record: { terms } }: AvailabilityProof,
): Promise<Rejection | null> => {
  const bytes = await artifacts.read(terms.artifact);
  if (!bytes)
    return reject('RESOURCE_NOT_FOUND', `no artefact ${terms.artifact}`, [
      { field: `${TERMS}.artifact`, rule: 'a stored artefact' },
    ]);
  if (bytes.length !== terms.size) return unsound(`${TERMS}.size`, 'the size of the artefact');
  const root = bytesToHex(chunkTree(bytes, terms.chunkBytes).root);
  return root === terms.chunkRoot ? null : unsound(`${TERMS}.chunkRoot`, 'the root of its chunks');
};
