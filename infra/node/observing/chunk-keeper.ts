import { ed25519 } from '@noble/curves/ed25519.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { type Rejection, reject } from '../../../domain/errors.ts';
import type { NodeReplies, PeerReplies } from '../../../domain/mesh/messages.ts';
import { roundStart } from '../../../domain/proof/availability.ts';
import {
  type Answer,
  type AvailabilityTerms,
  answerStatement,
  type Challenge,
} from '../../../domain/proof/availability-record.ts';
import { challengedChunks, chunkTree } from '../../../domain/proof/chunks.ts';
import { hashOfJson } from '../../../domain/proof/commit.ts';
import { epochMs } from '../../../domain/time.ts';
import type { KeptArtifacts } from '../kept-artifacts.ts';
import type { OpenChunks } from '../neighbours/neighbours.ts';
import { remember } from './remember.ts';

export interface ChunkKeeperDeps {
  /** The node's 32-byte key. */
  readonly seed: Uint8Array;
  readonly publicKey: string;
  readonly kept: Pick<KeptArtifacts, 'read'>;
  readonly nowMs: () => number;
}

/** The side that is observed. */
export interface ChunkKeeper {
  /** Notes terms on which the engine has the node observed; on others it opens nothing. */
  expect(terms: AvailabilityTerms): NodeReplies['be-observed'] | Rejection;
  /**
   * Opens the chunks of a round for one of its observers (hex key), each round once: chunks are parts of somebody's
   * artefact, and an observer gets to see no more of them than the terms say.
   */
  open(request: OpenChunks, observer: string): Promise<PeerReplies['open-chunks'] | Rejection>;
}

/** Windows of a few engines, the running ones and those before. */
const TERMS_REMEMBERED = 64;
/** Rounds of a window × observers, for some windows. */
const ASKED_REMEMBERED = 4096;
const ANSWERS_REMEMBERED = 8;
const CLOCK_SKEW_MS = 60_000;

export const createChunkKeeper = ({ seed, publicKey, kept, nowMs }: ChunkKeeperDeps): ChunkKeeper => {
  const expected = remember<true>(TERMS_REMEMBERED);
  const asked = remember<string>(ASKED_REMEMBERED);
  const answers = remember<Promise<Answer | null>>(ANSWERS_REMEMBERED);

  const answerTo = async (terms: AvailabilityTerms, challenge: Challenge): Promise<Answer | null> => {
    const bytes = await kept.read(terms.artifact);
    if (bytes?.length !== terms.size) return null;
    const tree = chunkTree(bytes, terms.chunkBytes);
    const openings = challengedChunks(terms, challenge).map((index) => ({
      index,
      chunk: Buffer.from(bytes.subarray(index * terms.chunkBytes, (index + 1) * terms.chunkBytes)).toString(
        'base64url',
      ),
      path: tree.path(index).map((hash) => bytesToHex(hash)),
    }));
    const signature = ed25519.sign(answerStatement(challenge, openings), seed);
    return { openings, signature: Buffer.from(signature).toString('base64url') };
  };

  const isNow = (terms: AvailabilityTerms, round: number): boolean => {
    const now = nowMs();
    return (
      round < terms.rounds &&
      now >= epochMs(roundStart(terms, round)) - CLOCK_SKEW_MS &&
      now < epochMs(roundStart(terms, round + 1)) + CLOCK_SKEW_MS
    );
  };

  return {
    expect(terms) {
      if (terms.providerKey !== publicKey)
        return reject('INVALID_REQUEST', 'these terms are of another node', [
          { field: 'terms.providerKey', rule: 'the key of this node' },
        ]);
      expected.set(hashOfJson(terms), true);
      return { type: 'noted' };
    },

    async open({ terms, round, beacon }, observer) {
      const hash = hashOfJson(terms);
      if (!expected.get(hash) || terms.observers.every(({ key }) => key !== observer))
        return reject(
          'AUTHORIZATION_FAILED',
          'no engine of this node has named you an observer on these terms',
        );
      if (!isNow(terms, round)) return reject('CONFLICT', `round ${round} is not now`);
      const challenge = { terms: hash, round, beacon };
      const id = hashOfJson(challenge);
      const turn = `${hash}/${round}/${observer}`;
      const before = asked.get(turn);
      if (before !== undefined && before !== id)
        return reject('CONFLICT', `you have asked for other chunks of round ${round}`);
      asked.set(turn, id);
      const pending = answers.get(id) ?? answerTo(terms, challenge);
      answers.set(id, pending);
      const answer = await pending;
      return answer
        ? { type: 'chunks-opened', answer }
        : reject('RESOURCE_NOT_FOUND', `this node does not keep ${terms.artifact}`);
    },
  };
};
