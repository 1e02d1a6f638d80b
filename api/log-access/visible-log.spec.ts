import { beforeEach, describe, expect, it } from 'vitest';
import { newEvent } from '../../domain/event.ts';
import type { EventStore } from '../../domain/ports/event-store.ts';
import { createMemoryEventStore } from '../../infra/event-store/memory/store.ts';
import type { Principal } from '../../infra/keys/credentials.ts';
import { createOwnership } from './ownership.ts';
import { createVisibleLog, type VisibleLog } from './visible-log.ts';

const principal = (id: string, ...roles: Principal['roles']): Principal => ({ id, roles, premium: false });
const ann = principal('subject-ann', 'submitter');
const bob = principal('subject-bob', 'submitter');
const auditor = principal('subject-auditor', 'auditor');

let store: EventStore;
let log: VisibleLog;

const append = async (
  stream: string,
  ...events: { type: string; [key: string]: unknown }[]
): Promise<void> => {
  const revision = (await store.readStream(stream)).at(-1)?.revision ?? -1n;
  const context = {
    occurredAt: '2026-01-01T00:00:00.000Z',
    actor: 'engine',
    correlationId: stream,
    causationId: 'test',
    traceparent: null,
  };
  const result = await store.append({
    stream,
    expectedRevision: revision,
    events: events.map((event) => newEvent(event, context)),
  });
  if (!result.ok) throw new Error('conflict');
};

const read = async (who: Principal, options: { after?: bigint; limit?: number; stream?: string } = {}) => {
  const page = await log.page({ principal: who, after: 0n, limit: 100, ...options });
  return page && { types: page.events.map(({ type }) => type), next: page.next };
};

beforeEach(() => {
  store = createMemoryEventStore();
  log = createVisibleLog({ store, ownership: createOwnership(store) });
});

describe('own streams', () => {
  it('are those whose first event names the caller, its quorum and its proofs among them', async () => {
    await append('job-1', { type: 'job.submitted', submitter: ann.id });
    await append('provider-1', { type: 'provider.registered', owner: bob.id });
    await append('quorum-1', { type: 'quorum.formed', jobId: 'job-1', members: [{ owner: bob.id }] });
    await append('proof-1', {
      type: 'proof.recorded',
      proof: { record: { jobId: 'job-1', providerId: 'provider-1' } },
    });
    await append('enclave-1', { type: 'enclave.requested', submitter: ann.id, owner: bob.id });
    await append('ledger-main', { type: 'ledger.entry-posted', kind: 'credit', postings: [] });
    expect((await read(ann))?.types).toEqual([
      'job.submitted',
      'quorum.formed',
      'proof.recorded',
      'enclave.requested',
    ]);
    expect((await read(bob))?.types).toEqual([
      'provider.registered',
      'quorum.formed',
      'proof.recorded',
      'enclave.requested',
    ]);
    expect((await read(auditor))?.types).toHaveLength(6);
    for (const stream of ['ledger-main', 'provider-1', 'job-unknown']) {
      expect(await read(ann, { stream })).toBeNull();
    }
  });

  it('are known of streams that were seen to begin, without reading them', async () => {
    await append('job-1', { type: 'job.submitted', submitter: ann.id }, { type: 'job.auction-opened' });
    const reads: string[] = [];
    const ownership = createOwnership({
      readStream: (stream, options) => {
        reads.push(stream);
        return store.readStream(stream, options);
      },
    });
    for (const event of await store.readStream('job-1'))
      expect(await ownership.ownersOfEvent(event)).toEqual(new Set([ann.id]));
    expect(await ownership.ownersOf('job-1')).toEqual(new Set([ann.id]));
    expect(reads).toEqual([]);
  });

  it('are proofs of availability and of an SLA too, for job and provider', async () => {
    await append('job-1', { type: 'job.submitted', submitter: ann.id });
    await append('provider-1', { type: 'provider.registered', owner: bob.id });
    const terms = { jobId: 'job-1', providerId: 'provider-1' };
    await append('proof-1', { type: 'proof.availability-recorded', record: { terms } });
    await append('proof-2', {
      type: 'proof.sla-compliance-recorded',
      record: { terms: { ...terms, jobId: null } },
    });
    expect((await read(ann))?.types).toEqual(['job.submitted', 'proof.availability-recorded']);
    expect((await read(bob))?.types).toEqual([
      'provider.registered',
      'proof.availability-recorded',
      'proof.sla-compliance-recorded',
    ]);
  });

  it('go on page by page, also over long stretches of others', async () => {
    await append('job-1', { type: 'job.submitted', submitter: bob.id });
    for (let n = 0; n < 60; n++) {
      await append('job-1', ...Array.from({ length: 100 }, () => ({ type: 'job.result-received' })));
    }
    await append('job-2', { type: 'job.submitted', submitter: ann.id }, { type: 'job.failed' });
    const first = await read(ann, { limit: 1 });
    expect(first).toEqual({ types: [], next: 5000n });
    const second = await read(ann, { limit: 1, after: first?.next ?? 0n });
    expect(second).toEqual({ types: ['job.submitted'], next: 6002n });
    expect(await read(ann, { limit: 1, after: 6002n })).toEqual({ types: ['job.failed'], next: 6003n });
    expect(await read(ann, { limit: 1, after: 6003n })).toEqual({ types: [], next: 6003n });
  });
});

describe('settled 36: while an auction is open', () => {
  const cid = principal('subject-cid', 'provider');
  const bid = { type: 'auction.bid-placed', bidId: 'bid-1', owner: bob.id, sealed: 'box' };
  const deposit = { type: 'ledger.entry-posted', kind: 'hold', postings: [{ account: 'deposit:bid-1' }] };

  beforeEach(async () => {
    await append('auction-1', { type: 'auction.opened', submitter: ann.id }, bid);
    await append('ledger-main', deposit);
    await append('auction-1', { type: 'auction.extended', owners: 1 });
    await append('job-1', { type: 'job.submitted', submitter: ann.id });
  });

  it('an auditor reads all of it at once, bids and deposits too', async () => {
    expect(await read(auditor)).toEqual({
      types: [
        'auction.opened',
        'auction.bid-placed',
        'ledger.entry-posted',
        'auction.extended',
        'job.submitted',
      ],
      next: 5n,
    });
    expect((await read(auditor, { stream: 'auction-1' }))?.types).toContain('auction.bid-placed');
    expect((await read(auditor, { stream: 'ledger-main' }))?.types).toEqual(['ledger.entry-posted']);
  });

  it('its submitter reads on, but not who bids', async () => {
    const types = ['auction.opened', 'auction.extended'];
    expect(await read(ann)).toEqual({ types: [...types, 'job.submitted'], next: 5n });
    expect(await read(ann, { stream: 'auction-1' })).toEqual({ types, next: 4n });
    expect(await read(ann, { stream: 'auction-1', after: 1n, limit: 1 })).toEqual({ types: [], next: 2n });
  });

  it('a bidder reads its own bid, and another one nothing', async () => {
    expect(await read(bob)).toEqual({ types: ['auction.bid-placed'], next: 5n });
    expect(await read(cid)).toEqual({ types: [], next: 5n });
    for (const who of [bob, cid]) {
      for (const stream of ['auction-1', 'ledger-main']) expect(await read(who, { stream })).toBeNull();
    }
  });

  it('its end changes nothing of what was read before', async () => {
    const everything = () => Promise.all([auditor, ann, bob].map((who) => read(who)));
    const before = await everything();
    await append('auction-1', { type: 'auction.closed' });
    const after = await everything();
    for (const [index, page] of before.entries()) {
      expect(after[index]?.types.slice(0, page?.types.length)).toEqual(page?.types);
    }
  });
});
