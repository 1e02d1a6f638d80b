import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { getInitialSnapshot } from 'xstate';
import type { AuctionEvent } from '../domain/auction/events.ts';
import type { EnclaveEvent } from '../domain/enclave/events.ts';
import type { EventContext } from '../domain/event.ts';
import { fingerprintOf } from '../domain/fingerprint.ts';
import { transfer } from '../domain/ledger/entry.ts';
import { account } from '../domain/ledger/events.ts';
import { toMicro } from '../domain/money.ts';
import { type EventStore, NO_STREAM } from '../domain/ports/event-store.ts';
import type { FollowingEffect, JournalRequest } from '../domain/ports/journal.ts';
import { lifecycleVersion } from '../domain/registry.ts';
import { type AskedEffect, plainState, stageEvents, startedBy } from '../domain/staging.ts';
import { createMemoryEventStore } from '../infra/event-store/memory/store.ts';
import { createJournal } from '../infra/journal/journal.ts';
import { createJournalActivities, type FollowableEffect, PROMPT_AT_ONCE } from './journal.ts';

const STREAM = 'auction-1';
const context: EventContext = {
  occurredAt: '2026-01-01T00:05:00.000Z',
  actor: 'engine',
  correlationId: 'job-1',
  causationId: `${STREAM}@1`,
  traceparent: null,
};
const opened = {
  type: 'auction.opened',
  machineVersion: 1,
  auctionId: STREAM,
  submitter: 'subject-1',
  jobId: 'job-1',
  quoteId: 'quote-1',
  tier: 'bronze',
  tierTableVersion: 1,
  requiredTops: 1,
  utilization: 1,
  durationSeconds: 60,
  winners: 1,
  requiredUp: 1,
  minimumOwners: 3,
  ceiling: toMicro(100n),
  rule: 'critical-value',
  seed: '00',
  auctionSeconds: 300,
  openedAt: '2026-01-01T00:00:00.000Z',
  closesAt: '2026-01-01T00:05:00.000Z',
} satisfies AuctionEvent;
const bid = {
  type: 'auction.bid-placed',
  bidId: 'bid-1',
  providerId: 'provider-1',
  owner: 'owner-1',
  sealed: '',
  deposit: toMicro(100n),
  placedAt: '2026-01-01T00:01:00.000Z',
} satisfies AuctionEvent;
const closed = { type: 'auction.closed', closedAt: '2026-01-01T00:05:00.000Z' } satisfies AuctionEvent;
const failed = {
  type: 'auction.failed',
  reason: 'AUCTION_NOT_ENOUGH_BIDS',
  message: 'have 1, need 3',
  verdicts: [{ bidId: 'bid-1', state: 'expired', reason: 'the auction failed' }],
} satisfies AuctionEvent;

const version = lifecycleVersion('auction', 1);
const initial = { snapshot: version.machine.resolveState({ value: 'new', context: {} }), revision: -1 };
const before = stageEvents(version, STREAM, initial, [opened, bid]);
const closing = stageEvents(version, STREAM, before, [closed]);

const request: JournalRequest = {
  stream: STREAM,
  expectedRevision: 1,
  batches: [{ context, events: [closed], entries: closing.entries }],
  origin: { workflowId: STREAM, runId: 'run-1' },
};
const next: FollowingEffect = {
  effect: { id: 'award', src: 'openBids', input: { auction: closing.snapshot.context } },
  version: 1,
  state: plainState(closing.snapshot),
  context: { ...context, causationId: `${STREAM}@2` },
};

let store: EventStore;
let faults: string[];
const types = async () => (await store.readStream(STREAM)).map(({ type }) => type);
const appendWith = (effect: FollowableEffect) =>
  createJournalActivities({
    journal: createJournal({ store }),
    lifecycles: { send: async () => undefined },
    effects: { 'auction.openBids': effect },
    now: () => context.occurredAt,
    onFault: (name, error) => faults.push(`${name}: ${String(error)}`),
  })['journal.append'];

beforeEach(async () => {
  store = createMemoryEventStore();
  faults = [];
  const journal = createJournal({ store });
  const funded = transfer('credit', account.external, account.available('owner-1'), bid.deposit, 'credit-1');
  await journal.post([funded], context);
  const { origin } = request;
  const batches = [{ context, events: before.events, entries: before.entries }];
  await journal.append({ stream: STREAM, expectedRevision: Number(NO_STREAM), batches, origin });
});

afterEach(() => {
  vi.useRealTimers();
});

describe('an effect behind its append', () => {
  test('finds the events that ask for it in the log, and puts its own behind them with their money', async () => {
    let seen: string[] = [];
    const reply = await appendWith(async () => {
      seen = await types();
      return [failed];
    })(request, next);
    expect(seen.at(-1)).toBe('auction.closed');
    expect(reply).toMatchObject({ kind: 'appended', followed: [failed] });
    expect(await types()).toEqual([
      'auction.opened',
      'auction.bid-placed',
      'auction.closed',
      'auction.failed',
    ]);
    const stored = (await store.readStream(STREAM)).at(-1);
    expect(stored).toMatchObject({ causationId: `${STREAM}@2`, occurredAt: context.occurredAt });
    const returned = (await store.readStream('ledger-main')).at(-1);
    expect(returned).toMatchObject({ causationId: `${STREAM}@3`, data: { kind: 'release' } });
    expect(await store.loadSnapshot(STREAM)).toMatchObject({ revision: 3n, state: { value: 'failed' } });
  });

  test('its events and their money are part of the fingerprint, with what the step asks for', async () => {
    const asking = { ...request, asks: [['timer', 'closes', 1000]] as const };
    const { entries } = stageEvents(version, STREAM, closing, [failed]);
    const behind = { context: next.context, events: [failed], entries };
    expect(entries).not.toEqual([]);
    const reply = await appendWith(async () => [failed])(asking, next);
    expect(reply.fingerprint).toBe(fingerprintOf([...request.batches, behind], asking.asks));
    const again = await appendWith(() => Promise.reject(new Error('no key')))(asking, next);
    expect(again.fingerprint).toBe(fingerprintOf(request.batches, asking.asks));
  });

  test('is left to the lifecycle when it fails or is unknown', async () => {
    const reply = await appendWith(() => Promise.reject(new Error('no key')))(request, next);
    expect(reply).not.toHaveProperty('followed');
    expect(await types()).toEqual(['auction.opened', 'auction.bid-placed', 'auction.closed']);
    const unknown = await appendWith(async () => [])(request, {
      ...next,
      effect: { ...next.effect, src: 'unheardOf' },
    });
    expect(unknown).not.toHaveProperty('followed');
    expect(faults).toEqual([
      'auction.openBids: Error: no key',
      'auction.unheardOf: Error: no effect named auction.unheardOf follows an append',
    ]);
  });

  test('is left to the lifecycle when it takes too long', async () => {
    vi.useFakeTimers();
    const reply = appendWith(() => new Promise(() => undefined))(request, next);
    await vi.advanceTimersByTimeAsync(5000);
    expect(await reply).not.toHaveProperty('followed');
    expect(faults).toEqual(['auction.openBids: Error: no answer within 5000 ms']);
  });

  test('runs at the second attempt when the first was killed between the two appends', async () => {
    await createJournal({ store }).append(request);
    const reply = await appendWith(async () => [failed])(request, next);
    expect(reply).toMatchObject({ kind: 'appended', followed: [failed] });
    expect(await types()).toEqual([
      'auction.opened',
      'auction.bid-placed',
      'auction.closed',
      'auction.failed',
    ]);
  });

  test('at two attempts at once is appended once, and both tell the same', async () => {
    const attempts = [failed, { ...failed, message: 'another' }].map((event) =>
      appendWith(async () => [event])(request, next),
    );
    const [one, other] = await Promise.all(attempts);
    expect(one).toEqual(other);
    expect((await types()).filter((type) => type === 'auction.failed')).toHaveLength(1);
    expect(
      (await store.readStream('ledger-main')).filter(({ data }) => data['kind'] === 'release'),
    ).toHaveLength(1);
  });

  test('says so when it has nothing to tell', async () => {
    expect(await appendWith(async () => [])(request, next)).toMatchObject({ followed: [] });
    expect(await types()).toHaveLength(3);
  });

  test('repeated after its answer was lost, changes nothing, even when it would answer otherwise now', async () => {
    const first = await appendWith(async () => [failed])(request, next);
    const log = await store.readAll({ after: 0n, limit: 100 });
    const again = await appendWith(async () => [failed])(request, next);
    const other = await appendWith(async () => [{ ...failed, message: 'another' }])(request, next);
    expect(again).toEqual(first);
    expect(other).toMatchObject({ kind: 'appended', followed: [failed] });
    expect(await store.readAll({ after: 0n, limit: 100 })).toEqual(log);
  });

  test('does not run when the append met others', async () => {
    const strange = { ...closed, closedAt: '2026-01-01T00:06:00.000Z' };
    const { origin } = request;
    const batches = [{ context, events: [strange], entries: [] }];
    await createJournal({ store }).append({ stream: STREAM, expectedRevision: 1, batches, origin });
    const reply = await appendWith(() => expect.unreachable())(request, next);
    expect(reply).toMatchObject({ kind: 'conflict', stored: [{ event: strange }] });
  });
});

/** An enclave that is asked for: what its node answers leads from one effect to the next. */
describe('effects one behind the other', () => {
  const ENCLAVE = 'enclave-1';
  const at = '2026-01-01T00:00:00.000Z';
  const requested = {
    type: 'enclave.requested',
    machineVersion: 4,
    enclaveId: ENCLAVE,
    providerId: 'provider-1',
    owner: 'owner-1',
    submitter: 'subject-1',
    jobId: 'job-1',
    platform: 'amd_sev_snp',
    codeHash: 'aa',
    config: { memoryMb: 64, cpuCores: 1, allowDebug: false },
    allowSimulated: true,
    requestedAt: at,
    expiresAt: '2026-01-01T01:00:00.000Z',
  } satisfies EnclaveEvent;
  const created = { type: 'enclave.created', enclaveKey: 'bb' } satisfies EnclaveEvent;
  const attested = {
    type: 'enclave.attested',
    reportHash: 'cc',
    measurement: 'dd',
    nonce: 'ee',
    label: 'simulated',
    steps: [],
    attestedAt: at,
    expiresAt: '2026-01-01T00:30:00.000Z',
  } satisfies EnclaveEvent;
  const enclave = lifecycleVersion('enclave', 4);
  const asking = stageEvents(
    enclave,
    ENCLAVE,
    { snapshot: getInitialSnapshot(enclave.machine), revision: -1 },
    [requested],
  );
  const [create] = startedBy(asking.actions);
  const cause: EventContext = { ...context, occurredAt: at, causationId: `${ENCLAVE}/open` };
  const opening: JournalRequest = {
    stream: ENCLAVE,
    expectedRevision: -1,
    batches: [{ context: cause, events: [requested], entries: [] }],
    origin: { workflowId: ENCLAVE, runId: 'run-1' },
  };
  const following: FollowingEffect = {
    effect: create as AskedEffect,
    prompt: ['createOnNode', 'attest', 'destroyOnNode'],
    version: 4,
    state: plainState(asking.snapshot),
    context: { ...cause, causationId: `${ENCLAVE}@0` },
  };
  const outgoing = { children: [] };

  let asked: string[];
  const open = (
    {
      effects,
      send = async () => void asked.push('send'),
    }: {
      readonly effects?: Readonly<Record<string, FollowableEffect>>;
      readonly send?: () => Promise<void>;
    } = {},
    next: FollowingEffect = following,
  ) => {
    const answering = (name: string, events: readonly EnclaveEvent[]) => async () => {
      asked.push(name);
      return events;
    };
    return createJournalActivities({
      journal: createJournal({ store }),
      lifecycles: { send },
      effects: {
        'enclave.createOnNode': answering('create', [created]),
        'enclave.attest': answering('attest', [attested]),
        'enclave.destroyOnNode': answering('destroy', []),
        ...effects,
      },
      now: () => '2026-01-01T00:00:02.000Z',
      onFault: (name, error) => faults.push(`${name}: ${String(error)}`),
    })['journal.append'](opening, next, outgoing);
  };
  const stored = async () => (await store.readStream(ENCLAVE)).map(({ type }) => type);

  beforeEach(() => {
    asked = [];
  });

  test('run where their events are appended, up to a state that somebody is to be told of, and what is to be said before', async () => {
    const reply = await open();
    expect(asked).toEqual(['send', 'create', 'attest']);
    expect(await stored()).toEqual(['enclave.requested', 'enclave.created', 'enclave.attested']);
    const [first, second] = [0, 1].map((revision) => ({
      ...cause,
      occurredAt: '2026-01-01T00:00:02.000Z',
      causationId: `${ENCLAVE}@${revision}`,
    }));
    expect(reply).toMatchObject({
      kind: 'appended',
      behind: [
        { effect: 'create', events: [created], context: first },
        { effect: 'attest', events: [attested], context: second },
      ],
      fingerprint: fingerprintOf([
        ...opening.batches,
        { context: first as EventContext, events: [created], entries: [] },
        { context: second as EventContext, events: [attested], entries: [] },
      ]),
    });
    expect(reply).not.toHaveProperty('unsent');
  });

  test('an answer that lies before its question in time is no answer', async () => {
    const late = { ...following, context: { ...following.context, occurredAt: '2026-01-01T00:00:09.000Z' } };
    const reply = await open({}, late);
    expect(reply.behind?.map((step) => step.context.occurredAt)).toEqual([
      '2026-01-01T00:00:09.000Z',
      '2026-01-01T00:00:09.000Z',
    ]);
  });

  test('those that are not prompt are left to the lifecycle', async () => {
    await open({}, { ...following, prompt: ['createOnNode'] });
    expect(await stored()).toEqual(['enclave.requested', 'enclave.created']);
  });

  test('a host of an older version is told of one, in its own words', async () => {
    const { prompt: _, ...older } = following;
    const reply = await open({}, older);
    expect(reply).toMatchObject({ followed: [created] });
    expect(reply).not.toHaveProperty('behind');
    expect(await stored()).toEqual(['enclave.requested', 'enclave.created']);
    expect((await store.readStream(ENCLAVE)).at(-1)).toMatchObject({ occurredAt: at });
  });

  test('the second that fails leaves the first done', async () => {
    const reply = await open({
      effects: { 'enclave.attest': () => Promise.reject(new Error('no node')) },
    });
    expect(reply.behind).toHaveLength(1);
    expect(await stored()).toEqual(['enclave.requested', 'enclave.created']);
    expect(faults).toEqual(['enclave.attest: Error: no node']);
  });

  test('a second attempt tells what the first has done, at the time that it was done', async () => {
    const first = await open({ effects: { 'enclave.attest': () => Promise.reject(new Error('killed')) } });
    const again = await open({
      effects: { 'enclave.createOnNode': async () => [{ ...created, enclaveKey: 'ff' }] },
    });
    expect(again.behind?.[0]).toEqual(first.behind?.[0]);
    expect(again.behind?.[1]).toMatchObject({ effect: 'attest', events: [attested] });
    expect(await stored()).toEqual(['enclave.requested', 'enclave.created', 'enclave.attested']);
  });

  test('a node has two and a half seconds: then its lifecycle, which meanwhile hears nobody, asks by an activity', async () => {
    vi.useFakeTimers();
    const reply = open({ effects: { 'enclave.createOnNode': () => new Promise(() => undefined) } });
    await vi.advanceTimersByTimeAsync(2500);
    expect(await reply).not.toHaveProperty('behind');
    expect(faults).toEqual(['enclave.createOnNode: Error: no answer within 2500 ms']);
  });

  test('nodes that do not answer hold a bounded number of workflow tasks', async () => {
    vi.useFakeTimers();
    let silent = 0;
    const activities = createJournalActivities({
      journal: createJournal({ store }),
      lifecycles: { send: async () => undefined },
      effects: {
        'enclave.createOnNode': () => {
          silent++;
          return new Promise(() => undefined);
        },
      },
      now: () => at,
      onFault: () => undefined,
    });
    const replies = Array.from({ length: PROMPT_AT_ONCE + 1 }, (_, index) => {
      const stream = `enclave-${index}`;
      return activities['journal.append']({ ...opening, stream }, following);
    });
    await vi.advanceTimersByTimeAsync(0);
    expect(await replies.at(-1)).not.toHaveProperty('behind');
    expect(silent).toBe(PROMPT_AT_ONCE);
    await vi.advanceTimersByTimeAsync(2500);
    await Promise.all(replies);
  });

  test('go on behind a state that somebody is told of there, with nothing to append before', async () => {
    const destroyed = {
      type: 'enclave.destroyed',
      reason: 'work done',
      confirmed: true,
    } satisfies EnclaveEvent;
    await open();
    const standing = stageEvents(enclave, ENCLAVE, asking, [created, attested]);
    const activities = createJournalActivities({
      journal: createJournal({ store }),
      lifecycles: { send: async () => void asked.push('send') },
      effects: { 'enclave.destroyOnNode': async () => [failed, destroyed] },
      now: () => '2026-01-01T00:00:03.000Z',
      onFault: (name, error) => faults.push(`${name}: ${String(error)}`),
    });
    const failed = {
      type: 'enclave.failed',
      fault: 'stopped',
      code: 'CONFLICT',
      message: 'expired',
      steps: [],
    } satisfies EnclaveEvent;
    const request = { stream: ENCLAVE, expectedRevision: 2, batches: [], origin: opening.origin } as const;
    const next: FollowingEffect = {
      effect: { id: 'destroy', src: 'destroyOnNode', input: {} },
      prompt: following.prompt ?? [],
      version: 4,
      state: plainState(standing.snapshot),
      context: { ...cause, causationId: `${ENCLAVE}@2` },
    };
    asked = [];
    const reply = await activities['journal.follow'](request, next, outgoing);
    expect(asked).toEqual(['send']);
    expect(reply).toMatchObject({ behind: [{ effect: 'destroy', events: [failed, destroyed] }] });
    expect((await stored()).slice(3)).toEqual(['enclave.failed', 'enclave.destroyed']);
    expect(await activities['journal.follow'](request, next, null)).toEqual(reply);
    expect(faults).toEqual([]);
  });

  test('what could not be said is told to be unsaid, and nothing waits for it', async () => {
    const reply = await open({ send: () => Promise.reject(new Error('Temporal is away')) });
    expect(reply).toMatchObject({ kind: 'appended', unsent: true, behind: [{}, {}] });
    expect(faults).toEqual(['to say what a step has to say: Error: Temporal is away']);
  });
});
