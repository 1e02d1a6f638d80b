import { z } from 'zod';
import { TIER_NAMES, TIER_TABLE_VERSION, TIERS, type TierName } from '../../../domain/tiers.ts';
import { defineRoute, respond } from '../../define-route.ts';
import { micro } from '../../fields.ts';

const tierSchema = z.object({
  availability: z.number(),
  diversity_required: z.array(z.string()),
  min_providers: z.int().describe('members bought'),
  required_up: z.int().describe('members that must be up at once'),
  k: z.int().describe('winners of the auction'),
  min_bidders: z.int().describe('distinct owners that must bid'),
  rate: micro.describe('one H200-hour, micro-units'),
  privacy: z.number(),
});

const diversityOf = (name: TierName): string[] => {
  const { maxPerType, distinctAsn, distinctRegion, minimumTypes } = TIERS[name].diversity;
  return [
    'distinct owners',
    ...(maxPerType === null ? [] : [`at most ${maxPerType} per infrastructure type`]),
    ...(distinctAsn ? ['distinct ASN'] : []),
    ...(distinctRegion ? ['distinct regions'] : []),
    ...(minimumTypes
      ? [`at least ${minimumTypes.types} types where ${minimumTypes.whenOffered} are offered`]
      : []),
  ];
};

const shown = (name: TierName): z.input<typeof tierSchema> => {
  const { availability, winners, requiredUp, minimumOwners, rateMicro, privacy } = TIERS[name];
  return {
    availability,
    diversity_required: diversityOf(name),
    min_providers: winners,
    required_up: requiredUp,
    k: winners,
    min_bidders: minimumOwners,
    rate: rateMicro,
    privacy,
  };
};

export const getTiers = () =>
  defineRoute(
    {
      method: 'GET',
      path: '/v1/fog/quorum/tiers',
      summary: 'The SLA tiers',
      tag: 'quorum',
      access: 'any',
      responses: {
        200: z.object({
          version: z.int(),
          tiers: z.record(z.enum(TIER_NAMES), tierSchema),
        }),
      },
      errors: [],
    },
    async () =>
      respond(200, {
        version: TIER_TABLE_VERSION,
        tiers: {
          bronze: shown('bronze'),
          silver: shown('silver'),
          gold: shown('gold'),
          platinum: shown('platinum'),
        },
      }),
  );
