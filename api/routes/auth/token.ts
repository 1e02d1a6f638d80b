import { z } from 'zod';
import { type Result, reject } from '../../../domain/errors.ts';
import { nameOf } from '../../../domain/schema.ts';
import { ROLES } from '../../../domain/subject/events.ts';
import type { Granted, SignIn } from '../../auth/sign-in.ts';
import { defineRoute, respond } from '../../define-route.ts';
import { instant } from '../../fields.ts';

/** `bytes` bytes in hex or unpadded base64url; the length tells which. */
const binary = (bytes: number) =>
  z
    .string()
    .regex(
      new RegExp(`^([0-9a-fA-F]{${bytes * 2}}|[A-Za-z0-9_-]{${Math.ceil((bytes * 4) / 3)}})$`),
      `${bytes} bytes in hex or base64url`,
    )
    .transform((text) => Buffer.from(text, text.length === bytes * 2 ? 'hex' : 'base64url'));

const publicKey = binary(32).transform((bytes) => bytes.toString('hex'));
const role = z.enum(ROLES).exclude(['engine']).optional();

const requestSchema = z.union([
  z.strictObject({ api_key: nameOf(256), role }),
  z.strictObject({ public_key: publicKey, role }),
  z.strictObject({ public_key: publicKey, challenge: nameOf(300), signature: binary(64) }),
]);

const grantSchema = z.object({
  access_token: z.string(),
  token_type: z.literal('Bearer'),
  expires_in: z.int().describe('seconds'),
  roles: z.array(z.enum(ROLES)),
});
const challengeSchema = z.object({
  challenge: z.string().describe('to be signed as it is, in UTF-8'),
  expires_at: instant,
});

const granted = (result: Result<Granted>, signedIn: (principal: string) => void) => {
  if (!result.ok) return result;
  signedIn(result.value.principal);
  return respond(200, {
    access_token: result.value.accessToken,
    token_type: 'Bearer' as const,
    expires_in: result.value.expiresIn,
    roles: [...result.value.roles],
  });
};

/** An API key for a token; or a public key for a challenge, and the signed challenge for a token. */
export const postToken = ({ signIn }: { signIn: SignIn }) =>
  defineRoute(
    {
      method: 'POST',
      path: '/v1/auth/token',
      summary: 'Sign in',
      tag: 'auth',
      access: 'open',
      body: requestSchema,
      responses: { 200: z.union([grantSchema, challengeSchema]) },
      errors: ['AUTHENTICATION_FAILED', 'AUTHORIZATION_FAILED'],
      notIdempotent: true,
      signIn: true,
    },
    async ({ beyondLimit, signedIn }, { body }) => {
      if (beyondLimit) {
        const known = await signIn.holderOf(
          'api_key' in body ? { apiKey: body.api_key } : { publicKey: body.public_key },
        );
        if (known === null || !(await beyondLimit(known)))
          return reject(
            'RATE_LIMIT_EXCEEDED',
            'too many sign-ins of your network; see RateLimit and Retry-After',
          );
      }
      if ('api_key' in body) return granted(await signIn.withApiKey(body.api_key, body.role), signedIn);
      if ('challenge' in body) {
        return granted(
          await signIn.withSignature({
            publicKey: body.public_key,
            challenge: body.challenge,
            signature: body.signature,
          }),
          signedIn,
        );
      }
      const asked = await signIn.challenge(body.public_key, body.role);
      if (!asked.ok) return asked;
      return respond(200, { challenge: asked.value.challenge, expires_at: asked.value.expiresAt });
    },
  );
