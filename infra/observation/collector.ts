import type { NodeReplies } from '../../domain/mesh/messages.ts';
import type { NodeGateway } from '../../domain/ports/node-gateway.ts';
import type { AvailabilityTerms, Beacon, Challenge } from '../../domain/proof/availability-record.ts';
import { hashOfJson } from '../../domain/proof/commit.ts';
import type { Observer } from '../../domain/proof/observer.ts';
import { answerVerdict, receiptsVerdict } from '../verify/availability-rounds.ts';
import type { Observations, ObservedRound } from './observations.ts';

export interface CollectorDeps {
  readonly gateway: Pick<NodeGateway, 'request'>;
  readonly observations: Pick<Observations, 'keepAnswer' | 'keepReceipt'>;
  readonly now: () => string;
}

export interface Collector {
  /** Tells a provider on which terms it is observed: again in every round, for a node that restarts forgets it. */
  announce(terms: AvailabilityTerms): Promise<void>;
  /** Asks each observer whose receipt is missing, and keeps what holds. Silence of an observer is not an error. */
  collect(round: Pick<ObservedRound, 'terms' | 'round' | 'beacon' | 'receipts'>): Promise<void>;
}

type Observed = NodeReplies['observe'];

const ANNOUNCE_MS = 5_000;
/** Beyond what an observer waits for the provider: two deadlines. */
const REPLY_MS = 5_000;

/** Whether what an observer says of a round is what the proof's verifier will accept of it. */
const holds = (
  terms: AvailabilityTerms,
  challenge: Challenge,
  observer: Observer,
  { receipt, answer }: Observed,
): boolean =>
  (answer === null || answerVerdict(terms, challenge, answer) === null) &&
  receiptsVerdict({ ...terms, observers: [observer] }, challenge, {
    beacon: challenge.beacon,
    answer,
    receipts: [receipt],
  }) === null;

export const createCollector = ({ gateway, observations, now }: CollectorDeps): Collector => {
  const ask = async (
    terms: AvailabilityTerms,
    round: number,
    beacon: Beacon,
    observer: Observer,
    agreed?: string,
  ): Promise<Observed | null> => {
    const reply = await gateway.request(
      observer.id,
      { type: 'observe', terms, round, beacon, ...(agreed !== undefined && { agreed }) },
      { timeoutMs: 2 * terms.deadlineSeconds * 1000 + REPLY_MS },
    );
    const challenge = { terms: hashOfJson(terms), round, beacon };
    return reply.type === 'observed' && holds(terms, challenge, observer, reply) ? reply : null;
  };

  const observe = async (
    terms: AvailabilityTerms,
    round: number,
    beacon: Beacon,
    observer: Observer,
  ): Promise<void> => {
    let seen = await ask(terms, round, beacon, observer);
    if (seen?.answer) {
      const agreed = hashOfJson(await observations.keepAnswer(terms, round, seen.answer));
      if (agreed !== hashOfJson(seen.answer)) seen = await ask(terms, round, beacon, observer, agreed);
      // Whoever holds to another answer than all others is not believed.
      if (seen?.answer && hashOfJson(seen.answer) !== agreed) return;
    }
    if (!seen) return;
    const { receipt, finding } = seen;
    await observations.keepReceipt(terms, round, { receipt, finding, receivedAt: now() });
  };

  return {
    async announce(terms) {
      await gateway.request(terms.providerId, { type: 'be-observed', terms }, { timeoutMs: ANNOUNCE_MS });
    },
    async collect({ terms, round, beacon, receipts }) {
      const missing = terms.observers.filter(({ key }) => receipts.every(({ observer }) => observer !== key));
      await Promise.all(missing.map((observer) => observe(terms, round, beacon, observer)));
    },
  };
};
