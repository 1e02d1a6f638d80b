import { sha256 } from '@noble/hashes/sha2.js';
import { utf8ToBytes } from '@noble/hashes/utils.js';
import type { PlatformLabel } from '../enclave/events.ts';
import { ulidFrom } from '../ids.ts';

/** A chip serves the first provider that attests with it, and no other (settled 42). */
export interface ChipBound {
  readonly type: 'chip.bound';
  readonly machineVersion: number;
  /** Hex of the 64 bytes that its reports name. */
  readonly chipId: string;
  /** Whose root vouches for it: a simulated chip is not the one of silicon that bears its id. */
  readonly label: PlatformLabel;
  readonly providerId: string;
  readonly boundAt: string;
}

/** Another provider attested with it, which it was refused: once for each, and for so many only. */
export interface ChipClaimRefused {
  readonly type: 'chip.claim-refused';
  readonly providerId: string;
  readonly refusedAt: string;
}

export type ChipEvent = ChipBound | ChipClaimRefused;

/** The stream of a chip: whoever meets it by its id decides on the same one. */
export const chipStream = (label: PlatformLabel, chipId: string): string =>
  `chip-${ulidFrom(sha256(utf8ToBytes(['aivillage-chip-v1', label, chipId].join('\n'))))}`;
