import type { ChipEvent } from './events.ts';

export interface Chip {
  /** The provider it serves. */
  readonly providerId: string;
  /** Providers it was refused to, as far as they are recorded. */
  readonly refused: readonly string[];
}

/** Null until a provider attests with it. */
export type ChipState = Chip | null;

/** @throws Error when a refusal comes before the binding. */
export const evolveChip = (chip: ChipState, event: ChipEvent): Chip => {
  if (event.type === 'chip.bound') return { providerId: event.providerId, refused: [] };
  if (!chip) throw new Error('a chip that serves nobody refuses nobody');
  return { ...chip, refused: [...chip.refused, event.providerId] };
};
