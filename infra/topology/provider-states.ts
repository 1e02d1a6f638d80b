import { domainEventOf } from '../../domain/event.ts';
import { foldOver } from '../../domain/fold.ts';
import type { EventStore } from '../../domain/ports/event-store.ts';
import type { ProviderEvent } from '../../domain/provider/events.ts';
import { type Provider, type ProviderState, providerFold } from '../../domain/provider/fold.ts';
import { type FoldSource, foldsOf } from '../event-store/folds.ts';

const PREFIX = 'provider-';
/** Providers of one page. */
const PAGE = 100;

/** All providers as the log up to and with `position` knows them. Costs by their number, and by what is new of them. */
export const providerStatesAt = async (
  store: FoldSource & Pick<EventStore, 'listStreams'>,
  position: bigint,
): Promise<Provider[]> => {
  const folds = foldsOf(store);

  /** Of a provider that has had news since: those are few, for `position` is of a moment ago. */
  const before = async (stream: string): Promise<ProviderState> => {
    const events = (await store.readStream(stream)).filter((event) => event.position <= position);
    const known = events.map((event) => domainEventOf<ProviderEvent>(event));
    return foldOver(providerFold, providerFold.initialState, known);
  };

  const states: Provider[] = [];
  for (let after = ''; ; ) {
    const streams = await store.listStreams(PREFIX, after, PAGE);
    for (const [stream, known] of await folds.latestOf(providerFold, streams)) {
      const state = known.position <= position ? known.state : await before(stream);
      if (state) states.push(state);
    }
    const last = streams.at(-1);
    if (last === undefined || streams.length < PAGE) return states;
    after = last;
  }
};
