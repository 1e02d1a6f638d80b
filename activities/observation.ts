import { bytesToHex } from '@noble/hashes/utils.js';
import { Context } from '@temporalio/activity';
import { type DomainEvent, newEvent } from '../domain/event.ts';
import { canonicalJson } from '../domain/json.ts';
import type { ObservationEvent } from '../domain/observation/events.ts';
import type { Observation } from '../domain/observation/fold.ts';
import { type ObservationTarget, termsOf } from '../domain/observation/terms.ts';
import {
  type ObservationSettings,
  type ObservationWindow,
  windowsAround,
} from '../domain/observation/window.ts';
import type { Artifacts } from '../domain/ports/artifacts.ts';
import { type EventStore, NO_STREAM } from '../domain/ports/event-store.ts';
import type { AvailabilityTerms } from '../domain/proof/availability-record.ts';
import { foldStream } from '../domain/registry.ts';
import { addMs, addSeconds, isBefore } from '../domain/time.ts';
import type { Collector } from '../infra/observation/collector.ts';
import type { DrawnBeacon, Observations } from '../infra/observation/observations.ts';
import type { FailureDetector } from '../infra/p2p/failure-detector.ts';

interface Head {
  readonly size: bigint;
  /** 32 bytes. */
  readonly root: Uint8Array;
}

export interface ObservationDeps {
  readonly store: Pick<EventStore, 'append' | 'readStream'>;
  readonly artifacts: Pick<Artifacts, 'put' | 'read'>;
  readonly observations: Observations;
  readonly collector: Collector;
  /** Providers within reach that have something to keep, and their neighbours within reach. */
  readonly targets: () => Promise<readonly ObservationTarget[]>;
  /** The newest signed head of the log. */
  readonly newestHead: () => Promise<Head | null>;
  /** A head that a chain holds and that covers the position; null where there is none (yet). */
  readonly anchoredHead: (position: bigint) => Promise<Head | null>;
  /** Whether this worker was awake, and its database there. */
  readonly detector: Pick<FailureDetector, 'mark' | 'held'>;
  /** Whether heads are anchored at all. */
  readonly anchoring: boolean;
  readonly now: () => string;
}

/** What windows leave behind is kept for a day: time enough to make proofs of them. */
const KEPT_SECONDS = 86_400;
const POLL_MS = 250;
/** Shares of a round: how long it waits for an anchor, and for any head at all. */
const ANCHOR_SHARE = 1 / 10;
const HEAD_SHARE = 1 / 2;
const OBSERVED_AT_ONCE = 16;

const drawn = ({ size, root }: Head, source: DrawnBeacon['source']): DrawnBeacon => ({
  size: String(size),
  root: bytesToHex(root),
  source,
});

/** Has nodes observe each other, round by round. */
export const createObservationActivities = (deps: ObservationDeps) => {
  const { store, artifacts, observations, collector, targets, newestHead, anchoredHead } = deps;
  const { detector, anchoring, now } = deps;

  /** Appends to a window at `revision`. @returns the position, or null where somebody else was first. */
  const append = async (
    { stream }: ObservationWindow,
    revision: bigint,
    event: ObservationEvent & DomainEvent,
  ): Promise<bigint | null> => {
    const appended = await store.append({
      stream,
      expectedRevision: revision,
      events: [
        newEvent(event, {
          occurredAt: now(),
          actor: 'engine',
          correlationId: stream,
          causationId: `${stream}/schedule`,
          traceparent: null,
        }),
      ],
    });
    return appended.ok ? appended.position : null;
  };

  const allTerms = async (window: ObservationWindow): Promise<AvailabilityTerms[]> => {
    const terms: AvailabilityTerms[] = [];
    for (const target of await targets()) {
      Context.current().heartbeat();
      const bytes = await artifacts.read(target.artifact);
      const made = bytes && termsOf(window, target, bytes);
      if (made) terms.push(made);
    }
    return terms;
  };

  /** Opens a window that begins now. @returns whether there is anybody to observe in it. */
  const open = async (window: ObservationWindow): Promise<boolean> => {
    const terms = await allTerms(window);
    if (terms.length === 0) return false;
    const bytes = new TextEncoder().encode(canonicalJson(terms));
    const { sha256 } = await artifacts.put(bytes, 'engine', 'application/json');
    const { network, from, roundSeconds, rounds } = window;
    await append(window, NO_STREAM, {
      type: 'observation.opened',
      machineVersion: 1,
      network,
      from,
      roundSeconds,
      rounds,
      providers: terms.length,
      terms: sha256,
      openedAt: now(),
    });
    return true;
  };

  /** The window to observe in, with its present round: the running one unless it lost a round, else one that begins. */
  const currentWindow = async (
    windows: readonly ObservationWindow[],
  ): Promise<{ readonly window: ObservationWindow; readonly round: number } | null> => {
    for (const [round, window] of windows.entries()) {
      if ((await store.readStream(window.stream)).length === 0) continue;
      if ((await observations.roundsBefore(window, round)) === round) return { window, round };
      break;
    }
    const [window] = windows;
    return window && (await open(window)) ? { window, round: 0 } : null;
  };

  /** Opens a round, once. Also the terms that its window was opened with. */
  const openRound = async (
    window: ObservationWindow,
    round: number,
  ): Promise<{ readonly position: bigint; readonly terms: readonly AvailabilityTerms[] } | null> => {
    const events = await store.readStream(window.stream);
    const last = events.at(-1);
    if (!last) return null;
    const state = foldStream(window.stream, events).context as Observation;
    const position = state.opened.includes(round)
      ? last.position
      : await append(window, last.revision, { type: 'observation.round-opened', round, openedAt: now() });
    if (position === null) return null;
    const bytes = await artifacts.read(state.terms);
    if (!bytes) throw new Error(`the terms of ${window.stream} are gone`);
    return { position, terms: JSON.parse(new TextDecoder().decode(bytes)) as AvailabilityTerms[] };
  };

  /** A head that covers `position`: anchored where one is soon there, else signed. Null where none comes in time. */
  const beaconCovering = async (position: bigint, roundSeconds: number): Promise<DrawnBeacon | null> => {
    const begun = now();
    const anchorsUntil = anchoring ? addMs(begun, roundSeconds * 1000 * ANCHOR_SHARE) : begun;
    const until = addMs(begun, roundSeconds * 1000 * HEAD_SHARE);
    for (;;) {
      const anchored = anchoring ? await anchoredHead(position) : null;
      if (anchored) return drawn(anchored, 'anchored');
      if (!isBefore(now(), anchorsUntil)) {
        const head = await newestHead();
        if (head && head.size >= position) return drawn(head, 'signed');
      }
      if (!isBefore(now(), until)) return null;
      Context.current().heartbeat();
      await Context.current().sleep(POLL_MS);
    }
  };

  const inTurns = async <T>(items: readonly T[], each: (item: T) => Promise<void>): Promise<void> => {
    for (let start = 0; start < items.length; start += OBSERVED_AT_ONCE) {
      Context.current().heartbeat();
      await Promise.all(items.slice(start, start + OBSERVED_AT_ONCE).map(each));
    }
  };

  /**
   * A round counts once everybody it concerns has been told. One in which this worker slept is void: a node that was not
   * told would be found wrong by those who were. Its window then proves nothing, and another begins.
   */
  const runRound = async (window: ObservationWindow, round: number): Promise<void> => {
    const begun = detector.mark();
    const opened = await openRound(window, round);
    if (!opened) return;
    const beacon = await beaconCovering(opened.position, window.roundSeconds);
    if (!beacon) {
      Context.current().log.info('no head of the log for this round', { window: window.stream, round });
      return;
    }
    await inTurns(opened.terms, collector.announce);
    if (!(await detector.held(begun))) {
      Context.current().log.info('this round is void: the engine slept in it', {
        window: window.stream,
        round,
      });
      return;
    }
    await observations.keepTerms(window, opened.terms);
    await inTurns(opened.terms, (terms) => observations.keepRound(terms, round, beacon));
  };

  return {
    /** One round of observation, and what earlier ones left open. Run again within the round it asks nobody twice. */
    'observation.turn': async (settings: ObservationSettings): Promise<void> => {
      const at = now();
      const current = await currentWindow(windowsAround(settings, at));
      if (current) await runRound(current.window, current.round);
      const since = addSeconds(at, -settings.roundSeconds * settings.rounds);
      await inTurns(await observations.unfinished(since), collector.collect);
      await observations.forgetBefore(addSeconds(at, -KEPT_SECONDS));
    },
  };
};
