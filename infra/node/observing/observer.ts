import type { Connection } from '@libp2p/interface';
import { ed25519 } from '@noble/curves/ed25519.js';
import { type Rejection, reject } from '../../../domain/errors.ts';
import {
  type NodeReplies,
  type NodeRequest,
  type PeerRequest,
  PROTOCOLS,
} from '../../../domain/mesh/messages.ts';
import { peerReplySchemas } from '../../../domain/mesh/schema.ts';
import type { Finding } from '../../../domain/observation/evidence.ts';
import { roundStart } from '../../../domain/proof/availability.ts';
import {
  type Answer,
  type Challenge,
  type Receipt,
  receiptStatement,
} from '../../../domain/proof/availability-record.ts';
import { hashOfJson } from '../../../domain/proof/commit.ts';
import { epochMs, instant } from '../../../domain/time.ts';
import type { PauseDetector } from '../../clock/pause-detector.ts';
import { callPeer } from '../../p2p/rpc.ts';
import { answerVerdict } from '../../verify/availability-rounds.ts';
import { NEIGHBOUR_FRAME_BYTES } from '../neighbours/introductions.ts';
import { remember } from './remember.ts';

type Observe = Extract<NodeRequest, { type: 'observe' }>;

export interface ObserverDeps {
  /** The node's 32-byte key. */
  readonly seed: Uint8Array;
  readonly publicKey: string;
  /** An open connection to a neighbour, or null. */
  readonly connectionTo: (nodeId: string) => Connection | null;
  readonly nowMs: () => number;
  /** What an answer's time is measured by. */
  readonly clock: Pick<PauseDetector, 'now' | 'pauses'>;
}

/** The side that observes. */
export interface Observer {
  /** What the node sees of a neighbour in a round, signed. Asked again it looks no second time. */
  observe(request: Observe): Promise<NodeReplies['observe'] | Rejection>;
}

interface Sighting extends Pick<Receipt, 'outcome' | 'askedAt' | 'answeredAt'> {
  readonly answer: Answer | null;
  readonly finding: Finding;
}

const UNOBSERVED: Sighting = {
  outcome: 'unobserved',
  askedAt: null,
  answeredAt: null,
  answer: null,
  finding: 'unobserved',
};

/** An answer is waited for this many deadlines, to tell a late one from none. */
const PATIENCE = 2;
const REMEMBERED = 256;

export const createObserver = ({ seed, publicKey, connectionTo, nowMs, clock }: ObserverDeps): Observer => {
  const sightings = remember<Promise<Sighting>>(REMEMBERED);

  const look = async ({ terms, round, beacon }: Observe, challenge: Challenge): Promise<Sighting> => {
    const connection = connectionTo(terms.providerId);
    if (!connection) return UNOBSERVED;
    const request: PeerRequest = { type: 'open-chunks', terms, round, beacon };
    const askedAtMs = nowMs();
    const askedAt = instant(askedAtMs);
    const [began, pauses] = [clock.now(), clock.pauses()];
    const outcome = await callPeer(
      connection,
      PROTOCOLS.neighbourhood,
      request,
      peerReplySchemas['open-chunks'],
      { timeoutMs: PATIENCE * terms.deadlineSeconds * 1000, maxReplyBytes: NEIGHBOUR_FRAME_BYTES },
    );
    // Times that are signed follow from what was measured: the wall clock may be set in between.
    const tookMs = clock.now() - began;
    const answeredAt = instant(askedAtMs + Math.round(tookMs));
    // Who slept meanwhile cannot tell a node that is late or silent from its own sleep.
    const slept = clock.pauses() !== pauses;
    const none = (finding: Finding): Sighting => ({
      outcome: 'silent',
      askedAt,
      answeredAt: null,
      answer: null,
      finding,
    });
    if (!outcome.ok && outcome.failure === 'malformed') return none('wrong');
    if (!outcome.ok) return slept ? UNOBSERVED : none('silent');
    if (outcome.reply.type === 'refused') return none('wrong');
    const { answer } = outcome.reply;
    if (answerVerdict(terms, challenge, answer) !== null) return none('wrong');
    const isLate = tookMs > terms.deadlineSeconds * 1000;
    if (isLate && slept) return UNOBSERVED;
    return { outcome: 'answered', askedAt, answeredAt, answer, finding: isLate ? 'late' : 'answered' };
  };

  const sightingOf = (request: Observe, challenge: Challenge): Promise<Sighting> => {
    const id = hashOfJson(challenge);
    const known = sightings.get(id);
    if (known) return known;
    const [start, end] = [request.round, request.round + 1].map((round) =>
      epochMs(roundStart(request.terms, round)),
    ) as [number, number];
    // A challenge is asked in its round or not at all.
    if (nowMs() < start || nowMs() >= end) return Promise.resolve(UNOBSERVED);
    const sighting = look(request, challenge);
    sightings.set(id, sighting);
    return sighting;
  };

  return {
    async observe(request) {
      const { terms, round, beacon, agreed } = request;
      if (terms.observers.every(({ key }) => key !== publicKey))
        return reject('INVALID_REQUEST', 'this node is no observer on these terms', [
          { field: 'terms.observers', rule: 'with the key of this node' },
        ]);
      const challenge = { terms: hashOfJson(terms), round, beacon };
      let sighting = await sightingOf(request, challenge);
      // Who signs two answers to one challenge has given the one that nobody else has to nobody.
      if (sighting.answer && agreed !== undefined && hashOfJson(sighting.answer) !== agreed)
        sighting = { ...sighting, outcome: 'silent', answeredAt: null, answer: null, finding: 'wrong' };
      const { outcome, askedAt, answeredAt, answer, finding } = sighting;
      const facts = { observer: publicKey, outcome, askedAt, answeredAt };
      const statement = receiptStatement(challenge, answer && hashOfJson(answer), facts);
      const signature = Buffer.from(ed25519.sign(statement, seed)).toString('base64url');
      return { type: 'observed', receipt: { ...facts, signature }, answer, finding };
    },
  };
};
