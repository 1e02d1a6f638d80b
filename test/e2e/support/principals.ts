import { createPrivateKey, createPublicKey, randomBytes, sign } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeJwt } from 'jose';
import { expect } from 'vitest';
import type { Role } from '../../../domain/subject/events.ts';
import { byToken, createRest, type Rest } from '../../support/rest.ts';
import type { SharedStack } from './shared-stack.ts';

/** PKCS #8 wrapping of a raw Ed25519 seed (RFC 8410 §7). */
const PKCS8_ED25519 = Buffer.from('302e020100300506032b657004220420', 'hex');

/** An Ed25519 key, as a node or an owner holds it. */
export interface KeyHolder {
  readonly seed: Buffer;
  /** Lower-case hex. */
  readonly publicKey: string;
  /** Base64url signature over the text's UTF-8. */
  sign(text: string): string;
}

export const keyHolder = (seed: Buffer = randomBytes(32)): KeyHolder => {
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_ED25519, seed]), format: 'der', type: 'pkcs8' });
  const { x } = createPublicKey(key).export({ format: 'jwk' });
  return {
    seed,
    publicKey: Buffer.from(x as string, 'base64url').toString('hex'),
    sign: (text) => sign(null, Buffer.from(text), key).toString('base64url'),
  };
};

/** Somebody who has signed in. */
export interface Caller {
  readonly id: string;
  readonly token: string;
  readonly rest: Rest;
}

interface Granted {
  readonly access_token: string;
}

const callerOf = ({ apiUrl }: SharedStack, { access_token: token }: Granted): Caller => ({
  id: decodeJwt(token).sub as string,
  token,
  rest: createRest(apiUrl, byToken(token)),
});

/** Signs in with the operator's API key. */
export const signInOperator = async (stack: SharedStack): Promise<Caller> => {
  const { status, body } = await createRest(stack.apiUrl).post<Granted>('/v1/auth/token', {
    api_key: stack.apiKey,
  });
  expect(status).toBe(200);
  return callerOf(stack, body);
};

/** Signs in by answering a challenge; an unknown key enrols itself as a provider. */
export const signIn = async (stack: SharedStack, holder: KeyHolder, role?: Role): Promise<Caller> => {
  const rest = createRest(stack.apiUrl);
  const { publicKey: public_key } = holder;
  const asked = await rest.post<{ challenge: string }>('/v1/auth/token', { public_key, role });
  expect(asked.status).toBe(200);
  const { challenge } = asked.body;
  const granted = await rest.post<Granted>('/v1/auth/token', {
    public_key,
    challenge,
    signature: holder.sign(challenge),
  });
  expect(granted.status).toBe(200);
  return callerOf(stack, granted.body);
};

/** The key of a local node and its owner. */
export const nodeKey = async ({ home }: SharedStack, name: string): Promise<KeyHolder> =>
  keyHolder(Buffer.from((await readFile(join(home, 'nodes', name, 'node.key'), 'utf8')).trim(), 'hex'));

/** Has an admin grant roles to a key. */
export const enrol = async (
  admin: Caller,
  { publicKey: public_key }: KeyHolder,
  roles: readonly Role[],
): Promise<void> => {
  const { status } = await admin.rest.post('/v1/subjects', { roles, public_key });
  expect(status).toBe(201);
};
