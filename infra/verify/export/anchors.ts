import { bytesToHex } from '@noble/hashes/utils.js';
import type { VerificationStep } from '../../../domain/enclave/events.ts';
import { type AnchorCode, verifyAnchor } from '../anchor.ts';
import { equalBytes, fromHex } from '../bytes.ts';
import type { BytesOrHex } from '../policy.ts';
import { NOT_JUDGED, notExpected, notJudged, stepOf } from '../steps.ts';
import type { ExportedAnchor } from './anchor-line.ts';

/** What the caller knows of the chain on which a log is anchored. */
export interface KnownAnchoring {
  /** Hashes of blocks that are part of the chain, and deep enough in it. */
  readonly blocks: readonly BytesOrHex[];
  /** Address of the log's contract; any when absent: a head was there at the time of the block all the same. */
  readonly contract?: BytesOrHex;
}

/**
 * `anchored`: a block that the caller knows holds this head of the exported log. `not-judged`: the caller does not know
 * the block, or the part of the log does not reach to the head. `failed`: it is not an anchor of this log.
 */
export type AnchorStatus = 'anchored' | 'not-judged' | 'failed';

export interface ExportedAnchorVerdict {
  readonly status: AnchorStatus;
  readonly code: 'OK' | typeof NOT_JUDGED | 'NOT_COVERED' | 'OTHER_CONTRACT' | 'NO_EVIDENCE' | AnchorCode;
  readonly size: bigint;
  /** As the export says: chain, whether it is one for development, contract and block in hex. */
  readonly chain: string;
  readonly simulated: boolean;
  readonly contract: string;
  readonly blockHash: string;
  /** Number and seconds since 1970, from the header of the block; null unless anchored. */
  readonly block: bigint | null;
  readonly timestamp: bigint | null;
}

/** Hex in lower case without 0x; what is none is no hash of any block. */
const digitsOf = (value: BytesOrHex): string =>
  typeof value === 'string' ? value.toLowerCase().replace(/^0x/, '') : bytesToHex(value);

export interface AnchorJudge {
  readonly knows: (blockHash: string) => boolean;
  /** @param rootAt root of the exported log at a size; undefined where the export does not tell it. */
  judge(
    anchor: ExportedAnchor,
    origin: string,
    rootAt: (size: bigint) => Uint8Array | undefined,
  ): ExportedAnchorVerdict;
  /** The step over all anchors of an export: every block that the caller knows has to hold one. */
  step(verdicts: readonly ExportedAnchorVerdict[]): VerificationStep;
}

const CONTRACT_BYTES = 20;
const HASH_BYTES = 32;

export const anchorJudge = (known: KnownAnchoring | undefined): AnchorJudge => {
  const blocks = new Set((known?.blocks ?? []).map(digitsOf));
  const expected = known?.contract === undefined ? null : digitsOf(known.contract);
  return {
    knows: (blockHash) => blocks.has(blockHash),

    judge: ({ evidence, root, ...anchor }, origin, rootAt) => {
      const { size, contract, blockHash } = anchor;
      const verdict = (status: AnchorStatus, code: ExportedAnchorVerdict['code']): ExportedAnchorVerdict => ({
        ...anchor,
        status,
        code,
        block: null,
        timestamp: null,
      });
      const own = rootAt(size);
      if (own && !equalBytes(own, root)) return verdict('failed', 'ROOT_MISMATCH');
      if (!blocks.has(blockHash)) return verdict('not-judged', NOT_JUDGED);
      if (!own) return verdict('not-judged', 'NOT_COVERED');
      if (expected !== null && contract !== expected) return verdict('not-judged', 'OTHER_CONTRACT');
      if (!evidence) return verdict('not-judged', 'NO_EVIDENCE');
      const held = verifyAnchor({
        origin,
        size,
        root,
        contract: fromHex(contract, CONTRACT_BYTES),
        blockHash: fromHex(blockHash, HASH_BYTES),
        evidence,
      });
      return held.valid
        ? { ...anchor, status: 'anchored', code: 'OK', block: held.block, timestamp: held.timestamp }
        : verdict('failed', held.code);
    },

    step: (verdicts) => {
      const failed = verdicts.find(({ status }) => status === 'failed');
      if (failed) return stepOf('anchors', failed.code);
      for (const hash of blocks) {
        const here = verdicts.filter(({ blockHash }) => blockHash === hash);
        if (!here.some(({ status }) => status === 'anchored'))
          return stepOf('anchors', here[0]?.code ?? 'BLOCK_NOT_FOUND');
      }
      if (blocks.size > 0) return stepOf('anchors', null);
      return verdicts.length > 0 ? notJudged('anchors') : notExpected('anchors');
    },
  };
};
