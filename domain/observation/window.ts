import { sha256 } from '@noble/hashes/sha2.js';
import { utf8ToBytes } from '@noble/hashes/utils.js';
import { ulidFrom } from '../ids.ts';
import { epochMs, instant } from '../time.ts';

/**
 * Length of a round unless set otherwise. Long enough that a head of the log comes within it even while an auction holds
 * heads back for a minute or two, and that the events of observation (one a round) stay a trickle; short enough that a
 * provider which lost its chunks is seen within minutes.
 */
export const ROUND_SECONDS = 300;
/** Rounds of a window unless set otherwise: with five-minute rounds an hour. */
export const ROUNDS = 12;

export interface ObservationSettings {
  readonly network: string;
  readonly roundSeconds: number;
  readonly rounds: number;
}

/** A stretch of time over which availability is proven. Windows follow each other without a gap. */
export interface ObservationWindow extends ObservationSettings {
  readonly stream: string;
  /** Begin of the first round. */
  readonly from: string;
}

/** The window that `at` lies in: its bounds and its stream follow from settings and time alone. */
export const windowAt = (settings: ObservationSettings, at: string): ObservationWindow => {
  const { network, roundSeconds, rounds } = settings;
  const lengthMs = roundSeconds * rounds * 1000;
  const from = instant(Math.floor(epochMs(at) / lengthMs) * lengthMs);
  const seed = `aivillage-observation-v1\n${network}\n${roundSeconds}\n${rounds}\n${from}`;
  return { ...settings, from, stream: `observation-${ulidFrom(sha256(utf8ToBytes(seed)))}` };
};

/** The round of `window` that `at` lies in, from 0. */
export const roundAt = ({ from, roundSeconds }: ObservationWindow, at: string): number =>
  Math.floor((epochMs(at) - epochMs(from)) / (roundSeconds * 1000));
