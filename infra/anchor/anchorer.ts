import { bytesToHex } from '@noble/hashes/utils.js';
import { type BatchPolicy, isBatchDue } from '../../domain/anchor/batch.ts';
import { type ChainView, nextStep, type SendPolicy } from '../../domain/anchor/next-step.ts';
import type { TransparencyLog } from '../tlog/transparency-log.ts';
import { originHashOf } from '../verify/anchor.ts';
import { parseCheckpointText } from '../verify/checkpoint.ts';
import { parseNote } from '../verify/note.ts';
import type { Anchors, KnownAnchor } from './anchors.ts';
import { type AnchorChain, ChainError, type Head } from './chain.ts';

export interface AnchorerDeps {
  readonly transparency: Pick<TransparencyLog, 'newest' | 'rootAt'>;
  readonly anchors: Anchors;
  readonly chain: AnchorChain;
  readonly policy: BatchPolicy & SendPolicy;
  readonly now: () => string;
}

/** The chain holds a head that this log never had, or had otherwise: a forgery, or a log that was set back. */
export class AnchorConflictError extends Error {
  override name = 'AnchorConflictError';
}

export interface Anchorer {
  /**
   * Brings anchoring one step on: takes back what the chain has dropped, moves the oldest head under way, or begins the
   * next. It may end at any point and be called again, by another process, too: every step is stored before it acts.
   * @returns `moved` when it changed something and may go on at once, `rests` when there is nothing to do before the log
   * grows, or the chain drops what it holds.
   * @throws ChainError, AnchorConflictError
   */
  round(): Promise<'moved' | 'waits' | 'rests'>;
}

const hex = (bytes: Uint8Array): string => `0x${bytesToHex(bytes)}`;

export const createAnchorer = ({ transparency, anchors, chain, policy, now }: AnchorerDeps): Anchorer => {
  let isPrepared = false;

  /** The chain's newest head is one of this log, or nothing is anchored on top of it. */
  const checkHistory = async (last: ChainView['last'], newest: bigint): Promise<void> => {
    if (last.size > newest) {
      throw new AnchorConflictError(
        `${chain.chain} holds a head of ${last.size} leaves, the log has ${newest}`,
      );
    }
    if (last.size > 0n && hex(await transparency.rootAt(last.size)) !== last.root) {
      throw new AnchorConflictError(`${chain.chain} holds another tree of ${last.size} leaves`);
    }
  };

  /** Takes back the confirmations that the chain no longer bears out. */
  const takeBackDropped = async (last: ChainView['last']): Promise<number> => {
    let kept = last.size;
    for (;;) {
      const page = await anchors.confirmedUpTo(kept);
      for (const { size, block, blockHash } of page) {
        if (block !== null && (await chain.blockHash(block)) === blockHash) return anchors.reopenAbove(size);
        kept = size - 1n;
      }
      if (page.length === 0) return anchors.reopenAbove(0n);
    }
  };

  const viewOf = async ({ transactions }: KnownAnchor, originHash: string): Promise<ChainView> => {
    const nonce = await chain.nonce();
    const last = await chain.last(originHash);
    if (last === null) throw new ChainError('the contract has gone');
    const mined = await chain.mined(transactions.map(({ hash }) => hash));
    return { nonce, last, mined, head: await chain.head() };
  };

  const advance = async (anchor: KnownAnchor, originHash: string): Promise<'moved' | 'waits'> => {
    const { size, root } = anchor;
    const head: Head = { originHash, size, root };
    let view = await viewOf(anchor, originHash);
    let step = nextStep(anchor, view, policy, now());
    if (step.type === 'adopt') {
      const found = await chain.find(head, step.block);
      if (!found) throw new ChainError('the event of an anchor is not in the block that the contract names');
      view = { ...view, mined: [found] };
      step = nextStep(anchor, view, policy, now());
    }
    switch (step.type) {
      case 'confirm':
        await anchors.confirm(size, step.mined, await chain.evidence(head, step.mined), now());
        return 'moved';
      case 'supersede':
        await anchors.supersede(size);
        return 'moved';
      case 'conflict':
        throw new AnchorConflictError(`${chain.chain} holds another tree of ${size} leaves`);
      case 'sign': {
        const signed = await chain.sign(head, step.nonce, step.replaces);
        const transaction = { ...signed, signedAt: now() };
        await anchors.intend(size, transaction);
        await chain.broadcast(transaction);
        return 'waits';
      }
      case 'broadcast':
        await chain.broadcast(step.transaction);
        return 'waits';
      default:
        return 'waits';
    }
  };

  return {
    round: async () => {
      const newest = await transparency.newest();
      if (newest === null) return 'waits';
      isPrepared ||= await chain.prepare();
      if (!isPrepared) return 'waits';
      const { origin } = parseCheckpointText(parseNote(newest.note).text);
      const originHash = hex(originHashOf(origin));
      const last = await chain.last(originHash);
      if (last === null) {
        isPrepared = false;
        return 'waits';
      }
      await checkHistory(last, newest.size);
      if ((await takeBackDropped(last)) > 0) return 'moved';
      const [oldest] = await anchors.open();
      if (oldest) return advance(oldest, originHash);

      const previous = await anchors.previous();
      if (last.size > (previous?.size ?? 0n)) {
        // The table was set back, the chain was not: the head is there, its transaction will be found.
        await anchors.begin(last, now());
        return 'moved';
      }
      if (previous && newest.size <= previous.size) return 'rests';
      const urgent = await anchors.urgentUpTo(newest.size);
      if (!isBatchDue({ newest: newest.size, previous, urgent, now: now() }, policy)) return 'waits';
      await anchors.begin({ size: newest.size, root: hex(newest.root) }, now());
      return 'moved';
    },
  };
};
