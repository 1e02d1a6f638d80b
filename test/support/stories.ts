import * as fc from 'fast-check';
import { aggregateOf, newEvent } from '../../domain/event.ts';
import { type EventStore, NO_STREAM } from '../../domain/ports/event-store.ts';
import { auctionStory } from './stories/auction.ts';
import { enclaveStory } from './stories/enclave.ts';
import { jobStory } from './stories/job.ts';
import { ledgerStory } from './stories/ledger.ts';
import { at, type Draw, type Story } from './stories/parts.ts';
import { predicateStory } from './stories/predicate.ts';
import { providerStory } from './stories/provider.ts';
import { quorumStory } from './stories/quorum.ts';
import { topologyStory } from './stories/topology.ts';

const STORIES = [
  auctionStory,
  quorumStory,
  enclaveStory,
  jobStory,
  predicateStory,
  providerStory,
  topologyStory,
];

/** Stories of every aggregate, whole or cut short, and how to interleave them. */
export interface Plot {
  readonly stories: readonly Story[];
  /** Which unfinished stream goes on, step by step. */
  readonly turns: readonly number[];
}

export const plots = (rounds: { readonly min: number; readonly max: number }): fc.Arbitrary<Plot> =>
  fc
    .record({
      rounds: fc.integer(rounds),
      tape: fc.array(fc.nat(999), { minLength: 400, maxLength: 400 }),
      turns: fc.array(fc.nat(999), { minLength: 200, maxLength: 200 }),
    })
    .map(({ rounds: count, tape, turns }) => {
      let cursor = 0;
      const draw: Draw = (below) => (tape[cursor++ % tape.length] as number) % below;
      const stories = Array.from({ length: count }, (_, seed) =>
        STORIES.map((story) => story(seed + 1, draw)),
      ).flat();
      stories.push(ledgerStory(draw));
      return { stories: stories.map((story) => cut(story, draw)), turns };
    });

const cut = ({ stream, events }: Story, draw: Draw): Story => ({
  stream,
  events: draw(3) === 0 ? events.slice(0, 1 + draw(events.length)) : events,
});

/** Appends a plot, its streams interleaved. */
export const tell = async (store: EventStore, { stories, turns }: Plot): Promise<void> => {
  const open = stories.map((story) => ({ ...story, next: 0 }));
  for (let turn = 0; open.length > 0; turn++) {
    const index = (turns[turn % turns.length] as number) % open.length;
    const story = open[index] as (typeof open)[number];
    const size = 1 + (turn % 3);
    const events = story.events.slice(story.next, story.next + size);
    const result = await store.append(
      {
        stream: story.stream,
        expectedRevision: BigInt(story.next) + NO_STREAM,
        events: events.map((event, offset) =>
          newEvent(event, {
            occurredAt: at(turn + offset),
            actor: 'engine',
            correlationId: story.stream,
            causationId: `${story.stream}/${story.next}`,
            traceparent: null,
          }),
        ),
      },
      aggregateOf(story.stream) === 'ledger'
        ? undefined
        : { workflowId: story.stream, runId: `run-${turn % 2}` },
    );
    if (!result.ok) throw new Error(`the plot conflicts in ${story.stream}`);
    story.next += size;
    if (story.next >= story.events.length) open.splice(index, 1);
  }
};
