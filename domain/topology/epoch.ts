import { sha256 } from '@noble/hashes/sha2.js';
import { utf8ToBytes } from '@noble/hashes/utils.js';
import { ulidFrom } from '../ids.ts';
import { addSeconds, epochMs, instant, isBefore } from '../time.ts';
import type { OpenTopology } from './commands.ts';

/** Length of an epoch unless the network sets another (R93). */
export const EPOCH_SECONDS = 3600;

/**
 * How long the first epoch of a network waits for keys once the first one is there; at most half an epoch. Later epochs
 * close a whole epoch ahead; without the exception a network would have no topology in its first hours.
 */
const BOOTSTRAP_SECONDS = 20;

/** The topology of one network: draws of another name or length have nothing to do with it. */
export interface TopologySettings {
  readonly network: string;
  readonly epochSeconds: number;
}

/** Number of the epoch at the instant `at`: floor(Unix time / length). */
export const epochAt = (at: string, seconds: number): number => Math.floor(epochMs(at) / 1000 / seconds);

/** First instant of an epoch. */
export const epochStart = (epoch: number, seconds: number): string => instant(epoch * seconds * 1000);

/** The stream of an epoch, and so the id of its workflow. */
export const topologyStream = ({ network, epochSeconds }: TopologySettings, epoch: number): string =>
  `topology-${ulidFrom(sha256(utf8ToBytes(`aivillage-topology-v1\n${network}\n${epochSeconds}\n${epoch}`)))}`;

const later = (a: string, b: string): string => (isBefore(a, b) ? b : a);

/**
 * An epoch that is due: its candidates are those whose keys were registered before the epoch before it began, so that
 * nobody chooses a key for the neighbours it gives. `bootstrappedAt` is when the network's first registration closed:
 * up to two epochs after it an earlier close would leave everybody out.
 */
const planOf = (
  { network, epochSeconds }: TopologySettings,
  epoch: number,
  bootstrappedAt: string,
): OpenTopology => {
  const anEpochAhead = epochStart(epoch - 1, epochSeconds);
  const registrationClosesAt = later(anEpochAhead, bootstrappedAt);
  const startsAt = later(epochStart(epoch, epochSeconds), registrationClosesAt);
  const endsAt = later(epochStart(epoch + 1, epochSeconds), startsAt);
  return {
    type: 'open',
    network,
    epoch,
    epochSeconds,
    registrationClosesAt,
    startsAt,
    endsAt,
    holdsUntil: later(epochStart(epoch + 2, epochSeconds), endsAt),
    bootstrap: registrationClosesAt !== anEpochAhead,
  };
};

/**
 * The epochs that have to be open at `now`: the running one and the next. `bootstrappedAt` is when registration of the
 * network's first epoch closed, or null in a network that has had none: then it is now.
 */
export const planEpochs = (
  settings: TopologySettings,
  now: string,
  bootstrappedAt: string | null,
): readonly OpenTopology[] => {
  const current = epochAt(now, settings.epochSeconds);
  const since = bootstrappedAt ?? addSeconds(now, Math.min(BOOTSTRAP_SECONDS, settings.epochSeconds / 2));
  return [current, current + 1].map((epoch) => planOf(settings, epoch, since));
};
