import { z } from 'zod';
import { reject } from '../../../domain/errors.ts';
import { holdsKey } from '../../../domain/provider/key-possession.ts';
import { providerIdOf } from '../../../domain/provider/provider-id.ts';
import { nameOf, tops } from '../../../domain/schema.ts';
import { INFRASTRUCTURE_TYPES } from '../../../domain/tiers.ts';
import { defineRoute, respond } from '../../define-route.ts';
import type { RouteDependencies } from '../../dependencies.ts';
import { position } from '../../fields.ts';
import { trustOf, trustSchema } from './provider.ts';

/** Registers a node key for its owner, the caller. It is listed once its host has attested. */
export const registerProvider = ({
  providers,
  credentials,
}: Pick<RouteDependencies, 'providers' | 'credentials'>) =>
  defineRoute(
    {
      method: 'POST',
      path: '/v1/providers',
      summary: 'Register a provider',
      tag: 'providers',
      access: ['provider'],
      body: z.strictObject({
        owner: nameOf(100),
        infrastructure_type: z.enum(INFRASTRUCTURE_TYPES),
        asn: z.int().min(0).max(4_294_967_295),
        region: nameOf(100),
        tops,
        pubkey: z.string().regex(/^[0-9a-f]{64}$/, 'an Ed25519 key in lower-case hex'),
        proof_of_possession: z
          .string()
          .regex(/^[A-Za-z0-9_-]{86}$/, '64 bytes in base64url')
          .describe(
            'signature by pubkey over "aivillage-provider-key-v1\\n" and the canonical JSON of {owner, publicKey}; ' +
              'needless for a key that you sign in with',
          )
          .optional(),
      }),
      responses: {
        201: z.object({
          provider_id: z.string(),
          state: z.literal('probation'),
          trust: trustSchema,
          position,
        }),
      },
      errors: ['AUTHORIZATION_FAILED', 'CONFLICT'],
    },
    async ({ principal, commandId, traceparent }, { body }) => {
      if (body.owner !== principal.id) {
        return reject('AUTHORIZATION_FAILED', 'the owner is whoever the token names', [
          { field: 'owner', rule: 'your own principal id' },
        ]);
      }
      const holder = await credentials.byPublicKey(body.pubkey);
      if (holder && holder.id !== principal.id) {
        return reject('AUTHORIZATION_FAILED', 'the key is the identity of somebody else', [
          { field: 'pubkey', rule: 'a key of your own' },
        ]);
      }
      const claim = { publicKey: body.pubkey, owner: principal.id };
      const proof = Buffer.from(body.proof_of_possession ?? '', 'base64url');
      if (!holder && !holdsKey(claim, proof)) {
        return reject('AUTHORIZATION_FAILED', 'nobody registers a key that he is not shown to hold', [
          { field: 'proof_of_possession', rule: 'a signature by pubkey that names you as owner' },
        ]);
      }
      const providerId = providerIdOf(body.pubkey);
      const outcome = await providers.execute(
        providerId,
        {
          type: 'register',
          providerId,
          owner: principal.id,
          infrastructureType: body.infrastructure_type,
          asn: body.asn,
          region: body.region,
          tops: body.tops,
          publicKey: body.pubkey,
        },
        { actor: principal.id, commandId, traceparent },
      );
      if (!outcome.ok) return outcome;
      return respond(201, {
        provider_id: providerId,
        state: 'probation',
        trust: trustOf(outcome.provider.evidence),
        position: outcome.position ?? '0',
      });
    },
  );
