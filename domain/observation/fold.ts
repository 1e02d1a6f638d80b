import type { ObservationEvent, ObservationOpened } from './events.ts';

export interface Observation extends Omit<ObservationOpened, 'type' | 'machineVersion'> {
  /** Rounds that were opened, in order. */
  readonly opened: readonly number[];
}

/** @throws Error on a round of a window that is not open. */
export const evolveObservation = (state: Observation | null, event: ObservationEvent): Observation => {
  if (event.type === 'observation.opened') {
    const { type: _, machineVersion: __, ...facts } = event;
    return { ...facts, opened: [] };
  }
  if (!state) throw new Error('a round of a window that was never opened');
  return { ...state, opened: [...state.opened, event.round] };
};
