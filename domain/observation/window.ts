import { sha256 } from '@noble/hashes/sha2.js';
import { utf8ToBytes } from '@noble/hashes/utils.js';
import { ulidFrom } from '../ids.ts';
import { epochMs, instant } from '../time.ts';

/**
 * Length of a round unless set otherwise. Long enough that an anchored head of the log comes within it, and that the
 * events of observation (one a round) stay a trickle; short enough that a provider which lost its chunks is seen within
 * minutes.
 */
export const ROUND_SECONDS = 300;
/** Rounds of a window unless set otherwise: with five-minute rounds an hour. */
export const ROUNDS = 12;

export interface ObservationSettings {
  readonly network: string;
  readonly roundSeconds: number;
  readonly rounds: number;
}

/** A stretch of time over which availability is proven: a number of rounds, beginning with any. */
export interface ObservationWindow extends ObservationSettings {
  readonly stream: string;
  /** Begin of the first round. */
  readonly from: string;
}

/** The window whose first round is the `number`th since 1970: its bounds and its stream follow from that. */
const windowFrom = (settings: ObservationSettings, number: number): ObservationWindow => {
  const { network, roundSeconds, rounds } = settings;
  const from = instant(number * roundSeconds * 1000);
  const seed = `aivillage-observation-v1\n${network}\n${roundSeconds}\n${rounds}\n${from}`;
  return { ...settings, from, stream: `observation-${ulidFrom(sha256(utf8ToBytes(seed)))}` };
};

/** The windows that `at` may lie in: in the first it would be in round 0, in the next in round 1, and so on. */
export const windowsAround = (settings: ObservationSettings, at: string): readonly ObservationWindow[] => {
  const current = Math.floor(epochMs(at) / (settings.roundSeconds * 1000));
  return Array.from({ length: settings.rounds }, (_, round) => windowFrom(settings, current - round));
};
