import { describe, expect, test } from 'vitest';
import { machineDecider, specify } from '../../test/support/decider.ts';
import type { OpenedBid, Winner } from '../auction/events.ts';
import { bidOf } from '../auction/market.fixture.ts';
import { toMicro } from '../money.ts';
import { addSeconds } from '../time.ts';
import type { FormQuorum, QuorumCommand } from './commands.ts';
import { decide, decideV1 } from './decide.ts';
import type { QuorumEvent, QuorumFormed } from './events.ts';
import { quorumMachine } from './machine.ts';

const { given } = specify(machineDecider(quorumMachine, decide));

const AT = '2026-01-01T00:00:00.000Z';

const winner = (index: number): Winner => ({ ...bidOf(index, 100), payment: toMicro('120') });
const reserve: OpenedBid[] = [bidOf(3, 130), bidOf(4, 140)];

const form: FormQuorum = {
  type: 'form',
  quorumId: 'quorum-1',
  jobId: 'job-1',
  auctionId: 'auction-1',
  tier: 'gold',
  ceiling: toMicro('1000'),
  seed: '00',
  members: [winner(0), winner(1), winner(2)],
  reserve,
  lifetimeSeconds: 100,
};

const formed: QuorumFormed = (() => {
  const { type: _, lifetimeSeconds: __, ...terms } = form;
  return {
    type: 'quorum.formed',
    machineVersion: 2,
    ...terms,
    requiredUp: 2,
    target: 0.999,
    epoch: 1,
    predictedAvailability: 0.9999,
    formedAt: AT,
    expiresAt: addSeconds(AT, 100),
  };
})();

const lost = (index: number, epoch = 1): QuorumEvent => ({
  type: 'quorum.member-lost',
  providerId: `provider-${index}`,
  owner: `owner-${index}`,
  reason: 'silent',
  epoch,
});

const reformed = (epoch: number, ...members: readonly number[]): QuorumEvent => ({
  type: 'quorum.reformed',
  epoch,
  members: members.map(winner),
  reserve: [],
  added: [],
  predictedAvailability: 0.9995,
  method: 'exact',
});

const degraded = (epoch: number, ...members: readonly number[]): QuorumEvent => ({
  type: 'quorum.degraded',
  epoch,
  members: members.map(winner),
  predictedAvailability: 0.99,
  violations: [],
});

const lose = (index: number): QuorumCommand => ({
  type: 'lose-member',
  providerId: `provider-${index}`,
  reason: 'silent',
});
const addMember: QuorumCommand = { type: 'add-member', reason: 'two results differ' };
const requested: QuorumEvent = { type: 'quorum.member-requested', reason: 'two results differ', epoch: 1 };
const dissolve: QuorumCommand = { type: 'dissolve', reason: 'the job is done' };
const dissolved: QuorumEvent = { type: 'quorum.dissolved', reason: 'the job is done' };
const expiry: QuorumCommand = { type: 'deadline', id: 'expiry', dueAt: addSeconds(AT, 100) };

describe('forming', () => {
  test('records the promise and how well the members keep it', () => {
    const { context, value } = given().when(form, { now: AT }).thenState();
    expect(value).toBe('formed');
    expect(context).toMatchObject({ epoch: 1, requiredUp: 2, target: 0.999, expiresAt: addSeconds(AT, 100) });
    expect(context.predictedAvailability).toBeGreaterThan(0.999);
  });

  test('is refused with what the set has and what it needs', () => {
    given()
      .when({ ...form, members: [winner(0), winner(1)] }, { now: AT })
      .thenRejects('QUORUM_NOT_ACHIEVED', /promise of the tier/, [
        { field: 'members.member-count', rule: 'have 2, need 3' },
      ]);
    const sameOwner = { ...winner(2), owner: 'owner-1' };
    given()
      .when({ ...form, members: [winner(0), winner(1), sameOwner] }, { now: AT })
      .thenRejects('QUORUM_NOT_ACHIEVED', undefined, [
        { field: 'members.distinct-owner', rule: 'have 2, need 3' },
      ]);
  });

  test('names its version, which streams of version 1 keep', () => {
    const byVersion1 = specify(machineDecider(quorumMachine, decideV1)).given();
    const predictedAvailability: number = expect.any(Number);
    given()
      .when(form, { now: AT })
      .then({ ...formed, predictedAvailability });
    byVersion1.when(form, { now: AT }).then({ ...formed, machineVersion: 1, predictedAvailability });
  });

  test('happens once', () => {
    given(formed)
      .when(form, { now: AT })
      .thenRejects('CONFLICT', /formed already/);
  });
});

describe('a lost member', () => {
  test('opens a new epoch without it and without its owner’s other bids', () => {
    given(formed).when(lose(1)).then(lost(1));
    const { state } = given(
      { ...formed, reserve: [...reserve, { ...bidOf(5, 90), owner: 'owner-1' }] },
      lost(1),
    );
    expect(state.value).toBe('reforming');
    expect(state.context.members.map(({ providerId }) => providerId)).toEqual(['provider-0', 'provider-2']);
    expect(state.context.reserve).toEqual(reserve);
  });

  test('is lost once, and only a member can be lost', () => {
    given(formed, lost(1))
      .when(lose(1))
      .thenRejects('CONFLICT', /not a member of epoch 1/);
    given(formed).when(lose(7)).thenRejects('CONFLICT');
    given().when(lose(1)).thenRejects('CONFLICT');
  });

  test.each([
    ['formed', [formed]],
    ['reforming', [formed, lost(0)]],
    ['degraded', [formed, lost(0), degraded(2, 1, 2)]],
  ])('is replaced from the state %s', (_, history) => {
    const epoch = history.length === 3 ? 2 : 1;
    given(...history)
      .when(lose(1))
      .then(lost(1, epoch));
  });

  test('makes the answer of a re-solve that still counts on it stale', () => {
    const { state } = given(formed, lost(0), lost(1));
    expect(state.can(reformed(2, 1, 2, 3))).toBe(false);
    expect(state.can(degraded(2, 1, 2))).toBe(false);
    expect(state.can(reformed(2, 2, 3, 4))).toBe(true);
  });

  test('comes back as degraded when nobody can take its place, and may be made good later', () => {
    expect(given(formed, lost(0), degraded(2, 1, 2)).state.value).toBe('degraded');
    const { state } = given(formed, lost(0), degraded(2, 1, 2), lost(1, 2), reformed(3, 2, 3, 4));
    expect(state.value).toBe('formed');
    expect(state.context).toMatchObject({ epoch: 3, violations: [], lost: [] });
  });
});

describe('one more member', () => {
  test('is asked for to decide between two results', () => {
    given(formed).when(addMember).then(requested);
    expect(given(formed, requested).state.context.extra).toBe(1);
    given().when(addMember).thenRejects('CONFLICT', /new/);
  });
});

describe('the end', () => {
  test('comes with its job, or by expiry', () => {
    given(formed).when(dissolve).then(dissolved);
    given(formed).when(expiry).then({ type: 'quorum.dissolved', reason: 'expired' });
    given(formed, lost(0)).when(expiry).then({ type: 'quorum.dissolved', reason: 'expired' });
  });

  test('is final: a quorum that was dissolved takes nothing more', () => {
    const ended = given(formed, dissolved);
    for (const command of [dissolve, expiry, lose(1), addMember]) ended.when(command).thenRejects('CONFLICT');
  });

  test('cannot come before the beginning', () => {
    given().when(dissolve).thenRejects('CONFLICT', /new/);
  });
});
