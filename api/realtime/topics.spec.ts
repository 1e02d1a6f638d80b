import { expect, test } from 'vitest';
import { LIFECYCLES } from '../../domain/registry.ts';
import { TOPICS } from './topics.ts';

const FOLDED = ['acceptance', 'chip', 'ledger', 'observation', 'proof', 'provider', 'sla', 'subject'];

test('R122: every aggregate has a topic of whole events', () => {
  for (const aggregate of [...Object.keys(LIFECYCLES), ...FOLDED]) {
    const event = { id: `${aggregate}-1@0`, stream: `${aggregate}-1`, type: 'any', revision: 0n, data: {} };
    expect(TOPICS.get(`realtime_${aggregate}`)?.data(event as never)).toMatchObject({ id: event.id });
  }
});
