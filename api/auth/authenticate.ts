import type { Credentials, Principal } from '../../infra/keys/credentials.ts';
import type { ApiContext } from '../environment.ts';
import { ANONYMOUS } from '../roles.ts';

const BEARER = /^Bearer +([A-Za-z0-9._~+/=-]{1,8192})$/i;
const MAX_API_KEY_CHARS = 256;

/**
 * Who calls, by `Authorization: Bearer <token>` or `X-API-Key`; `ANONYMOUS` when neither is there, null when what is
 * there proves nothing. A request that carries both is judged by the token alone.
 */
export const authenticate = async (c: ApiContext, credentials: Credentials): Promise<Principal | null> => {
  const authorization = c.req.header('authorization');
  if (authorization !== undefined) {
    const token = BEARER.exec(authorization)?.[1];
    return token ? credentials.byToken(token) : null;
  }
  const apiKey = c.req.header('x-api-key');
  if (apiKey !== undefined) return apiKey.length <= MAX_API_KEY_CHARS ? credentials.byApiKey(apiKey) : null;
  return ANONYMOUS;
};
