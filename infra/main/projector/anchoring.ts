import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Pool } from 'pg';
import type { BatchPolicy } from '../../../domain/anchor/batch.ts';
import type { SendPolicy } from '../../../domain/anchor/next-step.ts';
import type { EventStore } from '../../../domain/ports/event-store.ts';
import { instant } from '../../../domain/time.ts';
import type { Log } from '../../../projections/log.ts';
import type { Session } from '../../../projections/projection.ts';
import { pause, tryLock, withSession } from '../../../projections/session.ts';
import { AnchorConflictError, createAnchorer } from '../../anchor/anchorer.ts';
import { createAnchors } from '../../anchor/anchors.ts';
import { type AnchorChain, ChainError } from '../../anchor/chain.ts';
import { connectEvmChain } from '../../anchor/evm-chain.ts';
import { reportAnchoring } from '../../anchor/status.ts';
import type { AnchoringSettings } from '../../config/config.ts';
import { readKeyFile } from '../../keys/key-file.ts';
import { createTransparencyLog } from '../../tlog/transparency-log.ts';

export interface AnchoringDeps {
  readonly pool: Pool;
  readonly store: Pick<EventStore, 'head' | 'heads'>;
  readonly settings: AnchoringSettings;
  /** Data directory, which has the publisher's key. */
  readonly home: string;
  readonly log: Log;
}

/** A chain of this machine costs nothing; on a public one every anchor is paid for. */
const BATCHES = {
  simulated: { events: 50, seconds: 10 },
  public: { events: 10_000, seconds: 3_600 },
};
const REPLACE_AFTER_MS = 600_000;
/** How often the chain is looked at: an anchor is final within a second here, in minutes there. */
const POLL_MS = { simulated: 1_000, public: 15_000 };
/** How long the chain is left alone at most when all is anchored, should it drop what it holds. */
const REST_MS = 15_000;
const RETRY_MS = { first: 500, longest: 30_000 };
const LEADER = 'lead:anchoring';

/** Anchors the log's checkpoints until `signal` aborts. One process does so at a time; a second one stands by. */
export const keepAnchoring = async (
  { pool, store, settings, home, log }: AnchoringDeps,
  signal: AbortSignal,
): Promise<void> => {
  const { rpcUrl } = settings;
  if (rpcUrl === null) return;
  const keyFile = join(home, 'keys', 'anchor.key');
  if (!existsSync(keyFile)) {
    log.error({ keyFile }, 'without its key nothing is anchored');
    return;
  }
  const [key] = await readKeyFile(keyFile);
  let chain: AnchorChain | null = null;
  let said: string | null | undefined;
  let retryMs = RETRY_MS.first;

  /** Tells operators, in the log once, what keeps anchors from being made. */
  const tell = async (fault: string | null): Promise<void> => {
    if (fault === said) return;
    await reportAnchoring(pool, chain, fault, instant(Date.now()));
    if (fault !== null) log.warn({ fault }, 'anchoring waits');
    else if (chain) {
      const { contract, simulated } = chain;
      log.info({ chain: chain.chain, contract, simulated }, 'anchoring');
    }
    said = fault;
  };

  /** Until the log goes past `position`, or the time is out. */
  const growth = async (position: bigint): Promise<void> => {
    const end = AbortSignal.any([signal, AbortSignal.timeout(REST_MS)]);
    await store.heads(position, end)[Symbol.asyncIterator]().next();
  };

  const lead = async (session: Session): Promise<void> => {
    chain ??= await connectEvmChain({ rpcUrl, key: key as Uint8Array, contract: settings.contract });
    const anchorer = createAnchorer({
      transparency: createTransparencyLog(pool),
      anchors: createAnchors(pool, chain),
      chain,
      policy: policyOf(settings, chain),
      now: () => instant(Date.now()),
    });
    // Another process may have led meanwhile, and said something else.
    said = undefined;
    while (!signal.aborted) {
      // Who has lost the session has lost the lead.
      await session.query({ name: 'lead', text: 'select 1' });
      const { position } = await store.head();
      const outcome = await anchorer.round();
      await tell(null);
      retryMs = RETRY_MS.first;
      if (outcome === 'rests') await growth(position);
      if (outcome !== 'moved') await pause(chain.simulated ? POLL_MS.simulated : POLL_MS.public, signal);
    }
  };

  while (!signal.aborted) {
    try {
      await withSession(pool, async (session) => {
        if (await tryLock(session, LEADER)) await lead(session);
      });
    } catch (error) {
      const isOfTheChain = error instanceof ChainError || error instanceof AnchorConflictError;
      if (isOfTheChain) await tell(error.message).catch(() => undefined);
      else if (!signal.aborted) log.warn({ err: error }, 'anchoring was interrupted; it will go on');
      retryMs = Math.min(retryMs * 2, RETRY_MS.longest);
    }
    await pause(retryMs, signal);
  }
};

const policyOf = (
  { batchEvents, intervalSeconds, confirmations }: AnchoringSettings,
  chain: AnchorChain,
): BatchPolicy & SendPolicy => {
  const batch = chain.simulated ? BATCHES.simulated : BATCHES.public;
  return {
    leaves: BigInt(batchEvents ?? batch.events),
    intervalMs: (intervalSeconds ?? batch.seconds) * 1_000,
    confirmations: confirmations === null ? chain.confirmations : BigInt(confirmations),
    replaceAfterMs: REPLACE_AFTER_MS,
  };
};
