import { z } from 'zod';
import type { Signer } from '../../../infra/keys/signer.ts';
import { defineRoute, respond } from '../../define-route.ts';

export const getJwks = ({ signer }: { signer: Signer }) =>
  defineRoute(
    {
      method: 'GET',
      path: '/.well-known/jwks.json',
      summary: 'Public keys of the engine, by kid',
      tag: 'auth',
      access: 'open',
      responses: {
        200: z.object({
          keys: z.array(
            z.object({
              kty: z.literal('OKP'),
              crv: z.literal('Ed25519'),
              x: z.string(),
              kid: z.string(),
              alg: z.literal('EdDSA'),
              use: z.literal('sig'),
            }),
          ),
        }),
      },
      errors: [],
    },
    async () => respond(200, { keys: [...signer.jwks().keys] }),
  );
