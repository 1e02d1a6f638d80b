import { Client, Connection } from '@temporalio/client';
import { afterEach, expect, test, vi } from 'vitest';
import { startBare } from './bare.ts';

const started = new AsyncDisposableStack();
afterEach(() => started.disposeAsync());

/** Ids of the workflows that have ended. */
const endedIn = async ({ workflow }: Client): Promise<string[]> => {
  const ended = workflow.list({ query: 'ExecutionStatus = "Completed"' });
  return (await Array.fromAsync(ended)).map(({ workflowId }) => workflowId);
};

/** How often each kind of event is in these histories. */
const eventsOf = async ({ workflow }: Client, ids: readonly string[]) => {
  const counts: Record<string, number> = {};
  for (const id of ids) {
    const { events } = await workflow.getHandle(id).fetchHistory();
    for (const event of events ?? []) {
      const kind = Object.keys(event).find((key) => key.endsWith('EventAttributes')) ?? 'none';
      counts[kind] = (counts[kind] ?? 0) + 1;
    }
  }
  return counts;
};

test('the bare job has the shape that a silver job had', { timeout: 120_000 }, async () => {
  const { address, run, used } = await startBare(started, 'old');
  const before = used();
  expect(await run({ atOnce: 1, members: 2, auctionSeconds: 1 })).toEqual([expect.any(Number)]);
  expect(used()['worker']).toBeGreaterThan(before['worker'] as number);
  const connection = await Connection.connect({ address });
  started.defer(() => connection.close());
  const client = new Client({ connection });
  // The list of workflows follows their ends.
  await vi.waitUntil(async () => (await endedIn(client)).length === 5, 10_000);
  const events = await eventsOf(client, await endedIn(client));
  expect(events).toMatchObject({
    workflowExecutionStartedEventAttributes: 5,
    workflowExecutionCompletedEventAttributes: 5,
    activityTaskScheduledEventAttributes: 11,
    workflowExecutionUpdateCompletedEventAttributes: 10,
    workflowExecutionSignaledEventAttributes: 7,
    upsertWorkflowSearchAttributesEventAttributes: 25,
    timerStartedEventAttributes: 14,
  });
  // Bids that come together take one step; how many do is the machine's affair.
  expect(events['markerRecordedEventAttributes']).toBeGreaterThanOrEqual(29);
  expect(events['markerRecordedEventAttributes']).toBeLessThanOrEqual(33);
});
