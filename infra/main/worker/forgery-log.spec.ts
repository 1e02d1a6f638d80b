import { expect, test } from 'vitest';
import { forgeryLog } from './forgery-log.ts';

test('a stranger gets so many lines a minute, and the next one says how many there were', () => {
  const said: unknown[] = [];
  let now = 0;
  const log = forgeryLog({ warn: (facts: unknown) => void said.push(facts) }, () => now);
  const forged = { type: 'workflow', namespace: 'default', workflowId: 'job-1' } as const;
  for (let count = 0; count < 1000; count++) log(forged);
  expect(said).toEqual(Array.from({ length: 20 }, () => ({ place: 'workflow job-1' })));
  now = 60_000;
  log(forged);
  log(forged);
  expect(said.slice(20)).toEqual([{ place: 'workflow job-1', unsaid: 980 }, { place: 'workflow job-1' }]);
});
