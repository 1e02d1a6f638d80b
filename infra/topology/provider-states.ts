import { domainEventOf } from '../../domain/event.ts';
import type { EventStore } from '../../domain/ports/event-store.ts';
import type { ProviderEvent } from '../../domain/provider/events.ts';
import { evolveProvider, type Provider } from '../../domain/provider/fold.ts';

const PAGE = 1000;

/** Every type an eligible provider depends on, and those its fold needs. */
const TYPES: readonly ProviderEvent['type'][] = [
  'provider.registered',
  'provider.attested',
  'provider.vrf-key-registered',
  'provider.up',
  'provider.suspected',
  'provider.lost',
  'provider.evidence-recorded',
];

/** All providers as the log up to and with `position` knows them, trust flags and stake aside. */
export const providerStatesAt = async (
  store: Pick<EventStore, 'readAll'>,
  position: bigint,
): Promise<Provider[]> => {
  const states = new Map<string, Provider>();
  for (let after = 0n; ; ) {
    const page = await store.readAll({ after, limit: PAGE, types: TYPES });
    for (const event of page) {
      if (event.position > position) return [...states.values()];
      const before = states.get(event.stream) ?? null;
      states.set(event.stream, evolveProvider(before, domainEventOf<ProviderEvent>(event)));
      after = event.position;
    }
    if (page.length < PAGE) return [...states.values()];
  }
};
