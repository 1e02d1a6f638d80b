import { missedBeats, nextPresence } from '../../domain/mesh/presence.ts';
import { HEARTBEAT_SECONDS } from '../../domain/tiers.ts';
import { addMs, msBetween } from '../../domain/time.ts';
import type { HeartbeatTable, PresenceRow } from './heartbeats.ts';

export type PresenceEventType = 'provider.up' | 'provider.suspected' | 'provider.lost';

export interface PresenceMonitorDeps {
  readonly heartbeats: Pick<HeartbeatTable, 'due' | 'told'>;
  /** Whether this process is the one that judges; several at once repeat nothing but work. */
  readonly leads: () => boolean;
  /** RFC 3339 instant. */
  readonly now: () => string;
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
  /** One look at the table; the timer calls it every second. */
  tick(): Promise<void>;
}

const TICK_MS = 1000;
/** A look that comes or succeeds this late says that we or the database slept, not that the nodes did. */
const STALL_MS = HEARTBEAT_SECONDS * 1000;

/** Turns rows of beats into transitions: what was told last is in the table, so a restart repeats nothing. */
export const createPresenceMonitor = (deps: PresenceMonitorDeps): PresenceMonitor => {
  const { heartbeats, leads, now, providerSeen, onError } = deps;
  let listeningSince = now();
  let lastLook = listeningSince;
  let looking: Promise<void> | null = null;
  let timer: NodeJS.Timeout | null = null;

  const judge = async (row: PresenceRow, at: string): Promise<void> => {
    const { providerId, lastSeen, told, hearableMs } = row;
    const silentMs = msBetween(lastSeen, at);
    // Silence counts from when both this process looked and a worker was there for the node to be heard by.
    const heardMs = Math.min(silentMs, msBetween(listeningSince, at), hearableMs);
    const presence = nextPresence(told, silentMs, heardMs);
    if (presence === null || presence === told) return;
    await providerSeen(providerId, `provider.${presence}`, missedBeats(heardMs), lastSeen);
    await heartbeats.told(providerId, presence);
  };

  const look = async (): Promise<void> => {
    // Who takes over has not looked for a while, and listens anew.
    if (!leads()) return;
    const at = now();
    const rows = await heartbeats.due(addMs(at, -STALL_MS));
    if (msBetween(lastLook, at) > STALL_MS) listeningSince = at;
    lastLook = at;
    for (const row of rows) {
      try {
        await judge(row, at);
      } catch (error) {
        onError(error);
      }
    }
  };

  const tick = (): Promise<void> => {
    looking ??= look()
      .catch(onError)
      .finally(() => {
        looking = null;
      });
    return looking;
  };

  return {
    tick,
    start() {
      listeningSince = now();
      lastLook = listeningSince;
      timer = setInterval(() => void tick(), TICK_MS);
    },
    async stop() {
      if (timer) clearInterval(timer);
      await looking;
    },
  };
};
