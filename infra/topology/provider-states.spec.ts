import { expect, test } from 'vitest';
import { newEvent } from '../../domain/event.ts';
import { NO_STREAM } from '../../domain/ports/event-store.ts';
import type { ProviderEvent } from '../../domain/provider/events.ts';
import { createMemoryEventStore } from '../event-store/memory/store.ts';
import { providerStatesAt } from './provider-states.ts';

const AT = '2026-01-01T00:00:00.000Z';
const context = { occurredAt: AT, actor: 'a', correlationId: 'c', causationId: 'c', traceparent: null };

test('all providers as they stood at a position, whatever has happened to them since', async () => {
  const store = createMemoryEventStore();
  const append = async (stream: string, revision: bigint, ...events: ProviderEvent[]): Promise<bigint> => {
    const own = events.map((event) => newEvent(event, context));
    const appended = await store.append({ stream, expectedRevision: revision, events: own });
    if (!appended.ok) throw new Error(appended.reason);
    return appended.position;
  };
  const names = Array.from({ length: 250 }, (_, index) => `provider-${String(index).padStart(3, '0')}`);
  const register = (providerId: string): Promise<bigint> =>
    append(providerId, NO_STREAM, {
      type: 'provider.registered',
      machineVersion: 1,
      providerId,
      owner: 'subject-1',
      infrastructureType: 'hybrid_environments',
      asn: 1,
      region: 'region-a',
      tops: 1,
      publicKey: 'ab',
      registeredAt: AT,
    });
  for (const name of names.slice(0, 249)) await register(name);
  await append('providers-elsewhere', NO_STREAM, { type: 'provider.up', at: AT, missedHeartbeats: 0 });
  const position = await append('provider-007', 0n, { type: 'provider.up', at: AT, missedHeartbeats: 0 });
  await append('provider-007', 1n, { type: 'provider.lost', at: AT, missedHeartbeats: 3 });
  await append('provider-008', 0n, { type: 'provider.lost', at: AT, missedHeartbeats: 3 });
  await register('provider-249');

  const then = await providerStatesAt(store, position);
  expect(then.map(({ providerId }) => providerId)).toEqual(names.slice(0, 249));
  expect(then.filter(({ presence }) => presence !== 'unknown')).toMatchObject([
    { providerId: 'provider-007', presence: 'up' },
  ]);
  const now = await providerStatesAt(store, (await store.head()).position);
  expect(now.map(({ providerId }) => providerId)).toEqual(names);
  expect(now.filter(({ presence }) => presence === 'lost')).toHaveLength(2);
});
