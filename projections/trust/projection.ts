import type { ProviderEvent } from '../../domain/provider/events.ts';
import { rowProjection } from '../row-model.ts';
import { type TrustRow, trustTable } from './table.ts';

/** One row per provider: its evidence, which only verified evidence events change. */
export const trust = rowProjection<ProviderEvent, TrustRow, 'provider.registered'>({
  name: 'trust',
  version: 1,
  table: trustTable,
  first: 'provider.registered',
  create: ({ providerId, owner, registeredAt }) => ({
    providerId,
    owner,
    positive: 0,
    negative: 0,
    reasons: {},
    items: 0,
    uncertain: false,
    low: false,
    updatedAt: registeredAt,
  }),
  on: {
    'provider.evidence-recorded': (row, { reason, positive, negative, at }) => ({
      positive: row.positive + positive,
      negative: row.negative + negative,
      reasons: { ...row.reasons, [reason]: (row.reasons[reason] ?? 0) + 1 },
      items: row.items + 1,
      updatedAt: at,
    }),
    'provider.trust-uncertain': () => ({ uncertain: true }),
    'provider.trust-certain': () => ({ uncertain: false }),
    'provider.trust-low': () => ({ low: true }),
    'provider.trust-recovered': () => ({ low: false }),
  },
});
