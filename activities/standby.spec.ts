import { expect, test } from 'vitest';
import { bidOf } from '../domain/auction/market.fixture.ts';
import { reject } from '../domain/errors.ts';
import { blankJob, enclaveIdOf, type Job } from '../domain/job/job.ts';
import type { NodeRequest } from '../domain/mesh/messages.ts';
import { toMicro } from '../domain/money.ts';
import type { Command, CommandMeta, CommandOutcome } from '../domain/ports/lifecycles.ts';
import type { AskPatiently } from './patience.ts';
import { createStandbyActivities } from './standby.ts';

const member = (index: number) => ({
  ...bidOf(index, 100),
  payment: toMicro('120'),
  enclaveId: enclaveIdOf('job-1', `provider-${index}`),
  label: null,
  attested: false,
  result: null,
});

/** One member is bound, two are asked. */
const job: Job = {
  ...blankJob,
  jobId: 'job-1',
  auctionId: 'auction-1',
  requiredTops: 500,
  memoryMb: 64,
  ceiling: toMicro('1000'),
  members: [0, 1, 2].map(member),
  deposits: [{ bidId: 'bid-0', owner: 'owner-0' }],
};

type Replies = Readonly<Record<string, object>>;

const askAll = async (replies: Replies, outcome: CommandOutcome, bondedElsewhere: readonly string[] = []) => {
  const asked: [string, NodeRequest][] = [];
  const told: [string, Command, CommandMeta][] = [];
  const ask = (async (providerId: string, request: NodeRequest) => {
    asked.push([providerId, request]);
    return { reply: replies[providerId], missedHeartbeats: 0, missedInAll: 0 };
  }) as unknown as AskPatiently;
  const activities = createStandbyActivities({
    ask,
    mayWin: async (providerId) => !bondedElsewhere.includes(providerId),
    lifecycles: {
      execute: async (stream, command, meta) => {
        told.push([stream, command, meta]);
        return outcome;
      },
    },
  });
  return { events: await activities['job.askStandbys']({ job }), asked, told };
};

const yes = { type: 'standing-in' };
const done: CommandOutcome = { ok: true, revision: 9, position: '9' } as never;

test('asks whom no deposit binds, and binds who accepts by a command of the job', async () => {
  const { events, asked, told } = await askAll({ 'provider-1': yes, 'provider-2': yes }, done);
  expect(events).toEqual([]);
  const size = { tops: 500, memoryMb: 64 };
  const request = { type: 'stand-in', auctionId: 'auction-1', ...size, deposit: '1000', payment: '120' };
  expect(asked).toEqual([
    ['provider-1', request],
    ['provider-2', request],
  ]);
  expect(told.map(([stream, command]) => [stream, command])).toEqual([
    ['job-1', { type: 'bind-standby', providerId: 'provider-1' }],
    ['job-1', { type: 'bind-standby', providerId: 'provider-2' }],
  ]);
  expect(told[0]?.[2]).toMatchObject({ commandId: 'job-1/bind/provider-1', actor: 'engine' });
});

test.each([
  ['refused', { type: 'refused', code: 'RESOURCE_UNAVAILABLE', message: 'busy' }],
  ['silent', { type: 'silent', message: 'no answer in time' }],
  ['silent', { type: 'lost', message: 'three heartbeats missed' }],
])('who says no or nothing declines: %s', async (reason, reply) => {
  const { events, told } = await askAll({ 'provider-1': yes, 'provider-2': reply }, done);
  expect(events).toEqual([
    {
      type: 'job.standby-declined',
      providerId: 'provider-2',
      owner: 'owner-2',
      bidId: 'bid-2',
      reason,
      message: reply.message,
    },
  ]);
  expect(told).toHaveLength(1);
});

test('whose bond stands behind another order declines unasked', async () => {
  const { events, asked, told } = await askAll({ 'provider-1': yes }, done, ['provider-2']);
  expect(events).toMatchObject([
    { type: 'job.standby-declined', providerId: 'provider-2', reason: 'refused' },
  ]);
  expect(asked.map(([providerId]) => providerId)).toEqual(['provider-1']);
  expect(told).toHaveLength(1);
});

test('whose owner cannot pay the deposit declines by that, and its node has its place back', async () => {
  const poor = reject('INSUFFICIENT_BALANCE', 'too little');
  const { events, asked } = await askAll({ 'provider-1': yes, 'provider-2': yes }, poor);
  expect(events).toMatchObject([
    { type: 'job.standby-declined', providerId: 'provider-1', reason: 'funds' },
    { type: 'job.standby-declined', providerId: 'provider-2', reason: 'funds' },
  ]);
  expect(asked).toContainEqual(['provider-2', { type: 'auction-ended', auctionId: 'auction-1', won: false }]);
});

test('a job that has moved on binds nobody; one out of reach is asked again', async () => {
  const replies = { 'provider-1': yes, 'provider-2': yes };
  const moved = await askAll(replies, reject('CONFLICT', 'the job has moved on'));
  expect(moved.events).toEqual([]);
  await expect(askAll(replies, reject('RESOURCE_UNAVAILABLE', 'no worker'))).rejects.toThrow('no worker');
});
