import { z } from 'zod';
import { reject } from '../../../domain/errors.ts';
import { checkSet, memberOf, type SetMember } from '../../../domain/quorum/feasibility.ts';
import { nameOf } from '../../../domain/schema.ts';
import {
  INFRASTRUCTURE_TYPES,
  MEMBER_UNAVAILABILITY,
  TIER_NAMES,
  TYPE_UNAVAILABILITY,
} from '../../../domain/tiers.ts';
import { getProviders, offeredTypes } from '../../../projections/providers/queries.ts';
import { defineRoute, respond } from '../../define-route.ts';
import type { RouteDependencies } from '../../dependencies.ts';

const MAX_MEMBERS = 100;
const share = z.number().min(0).max(1);

const memberSchema = z.strictObject({
  id: nameOf(100),
  owner: nameOf(100),
  infrastructure_type: z.enum(INFRASTRUCTURE_TYPES),
  asn: z.int().min(0).max(4_294_967_295),
  region: nameOf(100),
  unavailability: share.optional(),
});

export const violationSchema = z.object({
  rule: z.string(),
  have: z.number(),
  need: z.number(),
  members: z.array(z.string()),
  recommendation: z.string(),
});

const bodySchema = z
  .strictObject({
    tier: z.enum(TIER_NAMES),
    required_up: z.int().min(1).max(MAX_MEMBERS).optional(),
    proposed_providers: z.array(nameOf(100)).max(MAX_MEMBERS).optional(),
    members: z.array(memberSchema).max(MAX_MEMBERS).optional(),
    type_unavailability: z.partialRecord(z.enum(INFRASTRUCTURE_TYPES), share).optional(),
  })
  .refine((body) => (body.members === undefined) !== (body.proposed_providers === undefined), {
    path: ['members'],
    message: 'either members or proposed_providers',
  })
  .refine((body) => new Set(body.members?.map(({ id }) => id)).size === (body.members?.length ?? 0), {
    path: ['members'],
    message: 'distinct ids',
  });

type Body = z.output<typeof bodySchema>;

const hypothetical = (members: NonNullable<Body['members']>): SetMember[] =>
  members.map(({ infrastructure_type: type, unavailability, ...rest }) => ({
    ...rest,
    infrastructureType: type,
    unavailability: unavailability ?? MEMBER_UNAVAILABILITY[type],
  }));

/** The question that award and quorum ask, for any set: real providers by id, or hypothetical members. */
export const validateQuorum = ({ db }: Pick<RouteDependencies, 'db'>) =>
  defineRoute(
    {
      method: 'POST',
      path: '/v1/fog/quorum/validate',
      summary: 'Does a set keep what a tier promises?',
      tag: 'quorum',
      access: 'any',
      body: bodySchema,
      responses: {
        200: z.object({
          valid: z.boolean(),
          predicted_availability: z.number(),
          meets_tier: z.boolean(),
          violations: z.array(violationSchema),
        }),
      },
      errors: ['RESOURCE_NOT_FOUND'],
    },
    async (_context, { body }) => {
      const choice = {
        tier: body.tier,
        typeUnavailability: { ...TYPE_UNAVAILABILITY, ...body.type_unavailability },
        ...(body.required_up === undefined ? {} : { requiredUp: body.required_up }),
      };
      const answer = (verdict: ReturnType<typeof checkSet>) =>
        respond(200, {
          valid: verdict.meetsTier,
          predicted_availability: verdict.predictedAvailability,
          meets_tier: verdict.meetsTier,
          violations: verdict.violations,
        });
      if (body.members) return answer(checkSet({ ...choice, members: hypothetical(body.members) }));

      const wanted = [...new Set(body.proposed_providers)];
      const providers = await getProviders(db, wanted);
      const missing = wanted.find((id) => !providers.some(({ providerId }) => providerId === id));
      if (missing !== undefined) {
        return reject('RESOURCE_NOT_FOUND', `no provider ${missing}`, [
          { field: 'proposed_providers', rule: 'registered providers' },
        ]);
      }
      const members = providers.map((provider) =>
        memberOf({ ...provider, unavailability: MEMBER_UNAVAILABILITY[provider.infrastructureType] }),
      );
      return answer(checkSet({ ...choice, members, offeredTypes: (await offeredTypes(db)).length }));
    },
  );
