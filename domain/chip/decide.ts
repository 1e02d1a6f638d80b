import type { Decider } from '../decider.ts';
import { accept, type Decision, type DecisionContext } from '../decision.ts';
import type { PlatformLabel } from '../enclave/events.ts';
import type { ChipEvent } from './events.ts';
import { type ChipState, evolveChip } from './fold.ts';

const CHIP_VERSION = 1;
/** Providers whose claim on the same chip is recorded: whoever has its key makes new names for nothing. */
export const REFUSALS_RECORDED = 16;

/** `providerId` has attested with the chip: a genuine report, over a nonce of the engine, that binds its key. */
export interface ClaimChip {
  readonly type: 'claim';
  readonly chipId: string;
  readonly label: PlatformLabel;
  readonly providerId: string;
}

/** Never a rejection, which would leave no trace: whether the claim holds is in the state after it. */
const decideChip = (
  chip: ChipState,
  { chipId, label, providerId }: ClaimChip,
  { now }: DecisionContext,
): Decision<ChipEvent> => {
  if (!chip) {
    return accept({
      type: 'chip.bound',
      machineVersion: CHIP_VERSION,
      chipId,
      label,
      providerId,
      boundAt: now,
    });
  }
  const { refused } = chip;
  const known = chip.providerId === providerId || refused.includes(providerId);
  if (known || refused.length >= REFUSALS_RECORDED) return accept();
  return accept({ type: 'chip.claim-refused', providerId, refusedAt: now });
};

export const chipDecider: Decider<ChipState, ClaimChip, ChipEvent> = {
  initialState: null,
  evolve: evolveChip,
  decide: decideChip,
};
