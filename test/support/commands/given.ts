import { CompleteAsyncError } from '@temporalio/activity';
import { getInitialSnapshot } from 'xstate';
import { aggregateOf } from '../../../domain/event.ts';
import type { LifecycleVersion } from '../../../domain/lifecycle.ts';
import { LIFECYCLES, type LifecycleName, lifecycleVersion } from '../../../domain/registry.ts';
import { stageEvents } from '../../../domain/staging.ts';
import type { Engine } from '../open-engine.ts';
import type { CommandCase } from './cases.ts';

const silent = (): Promise<never> => Promise.reject(new CompleteAsyncError());

/** Every effect of every lifecycle, as activities that never answer: what waits for them stays where it is. */
export const silentEffects = (): Readonly<Record<string, () => Promise<never>>> =>
  Object.fromEntries(
    Object.entries(LIFECYCLES).flatMap(([aggregate, { current, versions }]) =>
      Object.keys(
        (versions as Record<number, LifecycleVersion>)[current]?.machine.implementations.actors ?? {},
      ).map((effect) => [`${aggregate}.${effect}`, silent] as const),
    ),
  );

/** Puts the events of a case into the log, with the money that follows them. No workflow runs the stream yet. */
export const tellGiven = async (
  { journal }: Pick<Engine, 'journal'>,
  { stream, given }: CommandCase,
  now: string,
): Promise<void> => {
  if (!given) return;
  const aggregate = aggregateOf(stream) as LifecycleName;
  const version = lifecycleVersion(aggregate, LIFECYCLES[aggregate].current);
  const initial = getInitialSnapshot(version.machine);
  const opened = version.decide(initial, given.opening, { now, actor: 'engine' });
  if (!opened.ok) throw new Error(`${stream}: ${opened.message}`);
  const events = [...opened.events, ...given.then];
  const { entries } = stageEvents(version, stream, { snapshot: initial, revision: -1 }, events);
  const context = {
    occurredAt: now,
    actor: 'engine',
    correlationId: stream,
    causationId: `${stream}/open`,
    traceparent: null,
  };
  const written = await journal.append({
    stream,
    expectedRevision: -1,
    batches: [{ context, events, entries, commandId: `${stream}/open` }],
    origin: { workflowId: stream, runId: null },
  });
  if (written.kind !== 'appended') throw new Error(`${stream} was not opened: ${JSON.stringify(written)}`);
};
