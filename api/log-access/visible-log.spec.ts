import { beforeEach, describe, expect, it } from 'vitest';
import { newEvent } from '../../domain/event.ts';
import type { EventStore } from '../../domain/ports/event-store.ts';
import { createMemoryEventStore } from '../../infra/event-store/memory/store.ts';
import type { Principal } from '../../infra/keys/credentials.ts';
import { createOpenAuctions } from './open-auctions.ts';
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
  log = createVisibleLog({
    store,
    ownership: createOwnership(store),
    openAuctions: createOpenAuctions(store),
  });
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

describe('settled 12: while an auction is open', () => {
  const opened = { type: 'auction.opened', submitter: ann.id };
  const bid = { type: 'auction.bid-placed', bidId: 'bid-1' };
  const deposit = { type: 'ledger.entry-posted', kind: 'hold', postings: [{ account: 'deposit:bid-1' }] };

  beforeEach(async () => {
    await append('job-1', { type: 'job.submitted', submitter: ann.id });
    await append('auction-1', opened);
  });

  it('nobody learns whether anybody has bid', async () => {
    const look = () =>
      Promise.all([
        read(auditor),
        read(ann),
        read(auditor, { stream: 'auction-1' }),
        read(ann, { stream: 'auction-1' }),
        read(auditor, { stream: 'ledger-main' }),
        read(auditor, { after: 2n }),
        read(ann, { after: 2n }),
      ]);
    await append('ledger-main', {
      type: 'ledger.entry-posted',
      kind: 'hold',
      postings: [{ account: 'escrow:auction-1' }],
    });
    const before = await look();
    for (let n = 0; n < 3; n++) {
      await append('auction-1', bid);
      await append('ledger-main', deposit);
    }
    await append('auction-1', { type: 'auction.extended', owners: 3 });
    expect(await look()).toEqual(before);
    expect(before[0]).toEqual({ types: ['job.submitted', 'auction.opened'], next: 2n });
    expect(before[5]).toEqual({ types: [], next: 2n });
  });

  it('what concerns others goes on', async () => {
    await append('job-2', { type: 'job.submitted', submitter: bob.id });
    expect((await read(bob))?.types).toEqual(['job.submitted']);
    expect((await read(auditor, { stream: 'job-2' }))?.types).toEqual(['job.submitted']);
  });

  it('and after its end everything is there, in order', async () => {
    await append('auction-1', bid);
    await append('auction-1', { type: 'auction.closed' });
    expect((await read(auditor, { after: 2n }))?.types).toEqual(['auction.bid-placed', 'auction.closed']);
    expect((await read(ann, { stream: 'auction-1' }))?.types).toHaveLength(3);
    await append('auction-2', opened, bid, { type: 'auction.failed' });
    expect((await read(auditor))?.types).toHaveLength(7);
  });
});
