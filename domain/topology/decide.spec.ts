import { describe, expect, test } from 'vitest';
import { machineDecider, specify } from '../../test/support/decider.ts';
import { addSeconds } from '../time.ts';
import type { OpenTopology, RecordSelection, TopologyCommand } from './commands.ts';
import { decide } from './decide.ts';
import type { TopologyEvent } from './events.ts';
import { topologyMachine } from './machine.ts';
import { topologyEventSchema } from './schema.ts';

const { given } = specify(machineDecider(topologyMachine, decide));

const AT = '2026-01-01T00:00:00.000Z';
const HEX = 'a'.repeat(64);
const NOW = { now: AT };

const open: OpenTopology = {
  type: 'open',
  network: 'test',
  epoch: 490_896,
  epochSeconds: 3600,
  registrationClosesAt: addSeconds(AT, -3600),
  startsAt: AT,
  endsAt: addSeconds(AT, 3600),
  holdsUntil: addSeconds(AT, 7200),
  bootstrap: false,
};
const opened: TopologyEvent = (() => {
  const { type: _, ...facts } = open;
  return { type: 'topology.opened', machineVersion: 1, ...facts, openedAt: AT };
})();
const closed: TopologyEvent = { type: 'topology.registration-closed', closedAt: AT };
const committed: TopologyEvent = {
  type: 'topology.candidates-committed',
  candidateRoot: HEX,
  candidateCount: 6,
  candidateSet: HEX,
  position: '40',
  committedAt: AT,
};
const fixed: TopologyEvent = {
  type: 'topology.beacon-fixed',
  beacon: HEX,
  source: { kind: 'checkpoint', size: '42', hash: HEX },
  fixedAt: AT,
};
const record: RecordSelection = {
  type: 'record-selection',
  nodeId: 'provider-1',
  index: 3,
  output: HEX + HEX,
  proof: 'b'.repeat(160),
  neighbours: ['provider-2', 'provider-3'],
};
const selected: TopologyEvent = (() => {
  const { type: _, ...draw } = record;
  return { type: 'topology.neighbours-selected', ...draw, selectedAt: AT };
})();
const ended: TopologyEvent = { type: 'topology.ended', endedAt: AT };
const failed: TopologyEvent = { type: 'topology.failed', message: 'no artefacts' };
const deadline = (id: string): TopologyCommand => ({ type: 'deadline', id, dueAt: AT });

const ACTIVE = [opened, closed, committed, fixed] as const;

describe('an epoch', () => {
  test('R94: is announced, closes its registration, commits its candidates and only then fixes its beacon', () => {
    given().when(open, NOW).then(opened);
    given(opened).when(deadline('start'), NOW).then(closed);
    const { state } = given(...ACTIVE);
    expect(state.value).toBe('active');
    expect(state.context).toMatchObject({ beacon: HEX, candidates: { candidateCount: 6, position: '40' } });
    expect(given(opened).state.can(fixed)).toBe(false);
    expect(given(opened, closed).state.can(fixed)).toBe(false);
    expect(given(...ACTIVE).state.can(committed)).toBe(false);
    expect(given(...ACTIVE).state.can(fixed)).toBe(false);
  });

  test('is announced once, and only in an order of its instants that can be', () => {
    given(opened).when(open, NOW).thenRejects('CONFLICT');
    for (const wrong of [
      { registrationClosesAt: addSeconds(AT, 1) },
      { endsAt: addSeconds(AT, -1) },
      { holdsUntil: AT },
    ]) {
      given()
        .when({ ...open, ...wrong }, NOW)
        .thenRejects('INVALID_REQUEST', /starts/);
    }
  });

  test('records each draw once, and none before the beacon or after the end', () => {
    given(...ACTIVE)
      .when(record, NOW)
      .then(selected);
    expect(given(...ACTIVE, selected).state.context.selected).toEqual([3]);
    given(...ACTIVE, selected)
      .when(record, NOW)
      .thenRejects('CONFLICT', /is recorded/);
    given(...ACTIVE, selected)
      .when({ ...record, index: 4 }, NOW)
      .then({ ...selected, index: 4 });
    for (const early of [[opened], [opened, closed], [opened, closed, committed]]) {
      given(...early)
        .when(record, NOW)
        .thenRejects('CONFLICT', /not fixed yet/);
    }
    given(...ACTIVE, ended)
      .when(record, NOW)
      .thenRejects('CONFLICT', /has ended/);
    given(opened, closed, failed)
      .when(record, NOW)
      .thenRejects('CONFLICT', /has failed/);
  });

  test('ends at its deadline, and never again', () => {
    given(...ACTIVE)
      .when(deadline('end'), NOW)
      .then(ended);
    given(...ACTIVE, ended)
      .when(deadline('end'), NOW)
      .thenRejects('CONFLICT');
    given(opened, closed).when(deadline('end'), NOW).thenRejects('CONFLICT');
    expect(given(opened, closed, committed, failed).state.status).toBe('done');
  });

  test('is stored in a form that its schema knows', () => {
    for (const event of [...ACTIVE, selected, ended, failed]) {
      expect(topologyEventSchema.safeParse(event)).toMatchObject({ success: true });
    }
    expect(topologyEventSchema.safeParse({ ...fixed, beacon: 'ab' }).success).toBe(false);
  });
});
