import { describe, expect, it } from 'vitest';
import { type CommandItem, deadlineIn, Inbox, type Item } from './inbox.ts';

const meta = { commandId: 'c', actor: 'a', correlationId: 'c', causationId: 'c', traceparent: null };
const command = (type: string): CommandItem => ({ kind: 'command', command: { type }, meta });
const deadline: Item = {
  kind: 'command',
  command: { type: 'deadline', id: 'close', dueAt: '2026-01-01T00:00:00.000Z' } as never,
  meta,
};
const answer: Item = { kind: 'events', effect: 'run', events: [], cause: 'job-1@0' };

describe('an inbox', () => {
  it('is taken in the order in which things came, and is empty then', () => {
    const inbox = new Inbox();
    const items = [command('a'), answer, deadline];
    for (const item of items) inbox.put(item);
    expect(inbox.isEmpty).toBe(false);
    expect(inbox.take()).toEqual(items);
    expect(inbox.isEmpty).toBe(true);
    expect(inbox.take()).toEqual([]);
  });

  it('has what was not written before what came meanwhile', () => {
    const inbox = new Inbox();
    inbox.put(command('later'));
    inbox.putBack([command('first'), command('second')]);
    expect(inbox.take()).toMatchObject(['first', 'second', 'later'].map((type) => ({ command: { type } })));
  });

  it('loses what is stale, and nothing else', () => {
    const inbox = new Inbox();
    for (const item of [deadline, answer, command('a')]) inbox.put(item);
    inbox.drop((item) => deadlineIn(item) === 'close');
    expect(inbox.take()).toEqual([answer, command('a')]);
  });

  it('tells of every arrival that is waited for', async () => {
    const inbox = new Inbox();
    for (const type of ['a', 'b']) {
      const arrival = inbox.arrival();
      inbox.put(command(type));
      await arrival;
      expect(inbox.take()).toHaveLength(1);
    }
  });
});

it('a deadline is told from commands and answers', () => {
  expect([deadline, command('close'), answer].map(deadlineIn)).toEqual(['close', null, null]);
});
