import type { ProviderEvent } from '../../domain/provider/events.ts';
import { NO_EVIDENCE, withEvidence } from '../../domain/provider/opinion.ts';
import { rowProjection } from '../row-model.ts';
import { evidenceColumns, evidenceOf } from './evidence.ts';
import { type TrustRow, trustTable } from './table.ts';

/** One row per provider: its evidence, which only events of verified evidence change. */
export const trust = rowProjection<ProviderEvent, TrustRow, 'provider.registered'>({
  name: 'trust',
  version: 3,
  table: trustTable,
  first: 'provider.registered',
  create: ({ providerId, owner, registeredAt }) => ({
    providerId,
    owner,
    ...evidenceColumns(NO_EVIDENCE),
    reasons: {},
    items: 0,
    // Nothing is known of a newcomer.
    uncertain: true,
    low: false,
    bonded: false,
    registeredAt,
  }),
  on: {
    'provider.evidence-recorded': (row, item) => ({
      ...evidenceColumns(withEvidence(evidenceOf(row), item)),
      reasons: { ...row.reasons, [item.reason]: (row.reasons[item.reason] ?? 0) + 1 },
      items: row.items + 1,
    }),
    'provider.bond-posted': () => ({ bonded: true }),
    'provider.bond-returned': () => ({ bonded: false }),
    'provider.bond-forfeited': () => ({ bonded: false }),
    'provider.trust-uncertain': () => ({ uncertain: true }),
    'provider.trust-certain': () => ({ uncertain: false }),
    'provider.trust-low': () => ({ low: true }),
    'provider.trust-recovered': () => ({ low: false }),
  },
});
