import { describe, expect, test } from 'vitest';
import { machineDecider, specify } from '../../test/support/decider.ts';
import { bidOf } from '../auction/market.fixture.ts';
import { toMicro } from '../money.ts';
import { TIER_NAMES, TIERS } from '../tiers.ts';
import type { JobCommand, SubmitJob } from './commands.ts';
import { decide, decideV1 } from './decide.ts';
import type { JobEvent, JobSubmitted } from './events.ts';
import { jobMachine } from './machine.ts';

const { given } = specify(machineDecider(jobMachine, decide));

const AT = '2026-01-01T00:00:00.000Z';

const submit: SubmitJob = {
  type: 'submit',
  jobId: 'job-1',
  submitter: 'subject-1',
  quoteId: 'quote-1',
  auctionId: 'auction-1',
  auctionGiven: false,
  tier: 'gold',
  tierTableVersion: 1,
  requiredTops: 500,
  utilization: 0.8,
  durationSeconds: 60,
  ceiling: toMicro('1000'),
  codeHash: 'aa',
  args: [],
  inputHash: 'bb',
  memoryMb: 64,
  auctionSeconds: 10,
  allowSimulated: true,
  seed: '00',
};
const { type: _, ...facts } = submit;
const submitted: JobSubmitted = {
  type: 'job.submitted',
  machineVersion: 4,
  ...facts,
  openingFee: toMicro('30'),
  winners: 3,
  submittedAt: AT,
};

describe('submitting', () => {
  test('records the job and what its tier buys', () => {
    given().when(submit, { now: AT }).then(submitted);
    for (const tier of TIER_NAMES)
      expect(
        given()
          .when({ ...submit, tier }, { now: AT })
          .thenState().context.winners,
      ).toBe(TIERS[tier].winners);
  });

  test('begins with an auction of its own, or takes the award of one', () => {
    expect(given().when(submit, { now: AT }).thenState().value).toBe('quoted');
    const given_ = given().when({ ...submit, auctionGiven: true }, { now: AT });
    expect(given_.thenState().value).toEqual({ auctioning: 'taking' });
  });

  test('uses a quote once, and an award', () => {
    for (const [auctionGiven, field] of [
      [false, 'quote_id'],
      [true, 'auction_id'],
    ] as const)
      given(submitted)
        .when({ ...submit, auctionGiven }, { now: AT })
        .thenRejects('CONFLICT', /already been used/, [{ field, rule: 'not used before' }]);
  });

  test.each([
    ['duration_seconds', 'durationSeconds', 1, 2_073_600],
    ['memory_mb', 'memoryMb', 1, 4096],
    ['auction_seconds', 'auctionSeconds', 1, 3600],
  ] as const)('bounds %s', (field, name, min, max) => {
    const ask = (value: number) => given().when({ ...submit, [name]: value }, { now: AT });
    for (const value of [min, max]) expect(ask(value).thenState().value).toBe('quoted');
    for (const value of [min - 1, max + 1, Number.NaN, Number.POSITIVE_INFINITY])
      ask(value).thenRejects('INVALID_REQUEST', /out of bounds/, [{ field, rule: expect.any(String) }]);
  });

  test('settled 41: pays 1 % of what it may cost for asking, once, and asks for 100 micro-units or more', () => {
    const ask = (change: Partial<SubmitJob>) => given().when({ ...submit, ...change }, { now: AT });
    expect(ask({ ceiling: toMicro('100') }).thenState().context.openingFee).toBe('3');
    expect(ask({ ceiling: toMicro('101') }).thenState().context.openingFee).toBe('4');
    expect(ask({ auctionGiven: true }).thenState().context.openingFee).toBeUndefined();
    const rule = [{ field: 'ceiling', rule: 'at least 100 micro-units per winner' }];
    for (const ceiling of [toMicro('99'), toMicro('0')])
      ask({ ceiling }).thenRejects('INVALID_REQUEST', /out of bounds/, rule);
  });

  test('settled 45: uses no more memory than was priced', () => {
    const ask = (memoryMb: number, pricedMemoryMb?: number) =>
      given().when({ ...submit, memoryMb, ...(pricedMemoryMb && { pricedMemoryMb }) }, { now: AT });
    expect(ask(64, 64).thenState().context).toMatchObject({ memoryMb: 64, pricedMemoryMb: 64 });
    expect(ask(1, 64).thenState().value).toBe('quoted');
    expect(ask(4096).thenState().context.pricedMemoryMb).toBeUndefined();
    const rule = [{ field: 'memory_mb', rule: 'at most the 64 that were quoted' }];
    ask(65, 64).thenRejects('INVALID_REQUEST', /out of bounds/, rule);
  });

  test('takes whole megabytes and seconds where an enclave or an auction does', () => {
    for (const change of [{ memoryMb: 1.5 }, { auctionSeconds: 1.5 }])
      given()
        .when({ ...submit, ...change }, { now: AT })
        .thenRejects('INVALID_REQUEST');
  });

  test('bounds the arguments by their number and by their bytes', () => {
    const rule = [{ field: 'args', rule: 'at most 64 arguments and 16384 bytes' }];
    const ask = (args: readonly string[]) => given().when({ ...submit, args }, { now: AT });
    expect(ask(Array.from({ length: 64 }, () => 'a')).thenState().value).toBe('quoted');
    ask(Array.from({ length: 65 }, () => 'a')).thenRejects('INVALID_REQUEST', undefined, rule);
    expect(ask(['a'.repeat(16_383)]).thenState().value).toBe('quoted');
    ask(['a'.repeat(16_384)]).thenRejects('INVALID_REQUEST', undefined, rule);
    ask(['ü'.repeat(8192)]).thenRejects('INVALID_REQUEST', undefined, rule);
  });

  test.each([
    ['a\0b', 'no character U+0000'],
    ['\ud800', 'well-formed Unicode: no half of a surrogate pair'],
  ])('takes no argument that no module could be given: %j', (arg, rule) => {
    given()
      .when({ ...submit, args: ['-n', arg] }, { now: AT })
      .thenRejects('INVALID_REQUEST', undefined, [{ field: 'args.1', rule }]);
  });

  test('streams of version 1 keep the rules that they began with', () => {
    const begun = specify(machineDecider(jobMachine, decideV1)).given();
    const month = { ...submit, durationSeconds: 2_592_000, args: ['a\0b'] };
    const { type: __, ...then } = month;
    const { openingFee: ___, ...free } = submitted;
    begun.when(month, { now: AT }).then({ ...free, ...then, machineVersion: 1 });
    begun
      .when({ ...submit, ceiling: toMicro('0'), auctionSeconds: 86_400 }, { now: AT })
      .then({ ...free, ceiling: toMicro('0'), auctionSeconds: 86_400, machineVersion: 1 });
    begun.when({ ...month, durationSeconds: 2_592_001 }, { now: AT }).thenRejects('INVALID_REQUEST');
  });
});

describe('settled 38: a standby', () => {
  const members = [0, 1, 2].map((index) => ({ ...bidOf(index, 100), payment: toMicro('120') }));
  const formed: JobEvent = {
    type: 'job.quorum-formed',
    quorumId: 'quorum-1',
    epoch: 1,
    members,
    predictedAvailability: 0.999,
    formedAt: AT,
  };
  const awarded: JobEvent = {
    type: 'job.auction-awarded',
    auctionId: submit.auctionId,
    winners: members.slice(0, 2),
    reserve: members.slice(2),
    seed: '11',
  };
  const asking = [
    submitted,
    { type: 'job.auction-opened', auctionId: submit.auctionId, closesAt: AT },
    awarded,
    formed,
  ] as const satisfies readonly JobEvent[];
  const bind = (index: number): JobCommand => ({ type: 'bind-standby', providerId: `provider-${index}` });
  const accepted: JobEvent = {
    type: 'job.standby-accepted',
    providerId: 'provider-2',
    owner: 'owner-2',
    bidId: 'bid-2',
    acceptedAt: AT,
  };

  test('is bound by the engine, once, and only as long as it is asked', () => {
    given(...asking)
      .when(bind(2), { now: AT })
      .then(accepted);
    given(...asking)
      .when(bind(2), { actor: 'subject-1' })
      .thenRejects('AUTHORIZATION_FAILED');
    given(...asking)
      .when(bind(1))
      .thenRejects('CONFLICT', /has been answered/);
    given(...asking)
      .when(bind(3))
      .thenRejects('CONFLICT', /not asked for/);
    given(...asking, accepted)
      .when(bind(2))
      .thenRejects('CONFLICT', /has been answered/);
  });
});

describe('a deadline', () => {
  const stalled = { type: 'deadline', id: 'stalled', dueAt: AT } as const;

  test('aborts a job that makes no progress and says where', () => {
    given(submitted).when(stalled).then({
      type: 'job.aborted',
      reason: 'RESOURCE_UNAVAILABLE',
      message: 'the job made no progress while quoted',
    });
  });

  test('comes too late once the job is closing', () => {
    const aborted: JobEvent = { type: 'job.aborted', reason: 'CONFLICT', message: '' };
    given(submitted, aborted)
      .when(stalled)
      .thenRejects('CONFLICT', /moved on/);
    given().when(stalled).thenRejects('CONFLICT');
  });
});
