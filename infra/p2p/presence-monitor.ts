import { missedBeats, nextPresence } from '../../domain/mesh/presence.ts';
import type { FailureDetector, Sighting } from './failure-detector.ts';
import type { HeartbeatTable } from './heartbeats.ts';

export type PresenceEventType = 'provider.up' | 'provider.suspected' | 'provider.lost';

export interface PresenceMonitorDeps {
  readonly detector: Pick<FailureDetector, 'look' | 'sightings'>;
  readonly heartbeats: Pick<HeartbeatTable, 'told'>;
  /** Whether this process is the one that judges; several at once repeat nothing but work. */
  readonly leads: () => boolean;
  /**
   * Told once per transition, again only after a failure or a crash in between and then with the same `lastSeen`:
   * (provider, type, lastSeen) identifies a transition.
   */
  readonly providerSeen: (
    providerId: string,
    type: PresenceEventType,
    missedHeartbeats: number,
    lastSeen: string,
  ) => Promise<void>;
  readonly onError: (error: unknown) => void;
}

export interface PresenceMonitor {
  start(): void;
  stop(): Promise<void>;
  /** One look at the beats and what follows from it; the timer does so every second. */
  tick(): Promise<void>;
}

const TICK_MS = 1000;

/** Turns what the failure detector sees into transitions: what was told last is in the table, so a restart repeats nothing. */
export const createPresenceMonitor = (deps: PresenceMonitorDeps): PresenceMonitor => {
  const { detector, heartbeats, leads, providerSeen, onError } = deps;
  let judging: Promise<void> | null = null;
  let timer: NodeJS.Timeout | null = null;

  const judge = async ({ providerId, lastSeen, told, silentMs, heard }: Sighting): Promise<void> => {
    const presence = nextPresence(told, heard ? silentMs : Number.POSITIVE_INFINITY, silentMs);
    if (presence === null || presence === told) return;
    await providerSeen(providerId, `provider.${presence}`, missedBeats(silentMs), lastSeen);
    await heartbeats.told(providerId, presence);
  };

  const judgeAll = async (): Promise<void> => {
    for (const sighting of detector.sightings()) {
      try {
        await judge(sighting);
      } catch (error) {
        onError(error);
      }
    }
  };

  /** Telling may take longer than the next look, which must not wait for it. */
  const tick = async (): Promise<void> => {
    if (!(await detector.look()) || !leads()) return;
    judging ??= judgeAll().finally(() => {
      judging = null;
    });
    await judging;
  };

  return {
    tick,
    start() {
      timer = setInterval(() => void tick(), TICK_MS);
    },
    async stop() {
      if (timer) clearInterval(timer);
      await judging;
    },
  };
};
