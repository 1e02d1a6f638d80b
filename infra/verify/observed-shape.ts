import { MOST_OBSERVERS } from './observers.ts';
import { type Check, closed, exactly, hex, instant, listOf, orNull, text, within } from './shape.ts';

type Members = Readonly<Record<string, Check>>;

/** What the types of proofs that rest on observers have each for itself. */
export interface ObservedShape {
  readonly proofType: string;
  /** Of the terms, beside provider, job, begin and observers. */
  readonly terms: Members;
  readonly judgement: Members;
  /** Of the proof, beside its id and record: what the observers signed. */
  readonly evidence: Members;
}

/** The shape of a proof that rests on observers: closed member sets throughout. */
export const observedProof = ({ proofType, terms, judgement, evidence }: ObservedShape): Check =>
  closed({
    proofId: text,
    record: closed({
      proofType: exactly(proofType),
      version: exactly(1),
      terms: closed({
        providerId: text,
        providerKey: hex(32),
        jobId: orNull(text),
        from: instant,
        observers: listOf(closed({ id: text, key: hex(32) }), MOST_OBSERVERS),
        quorum: within(1, MOST_OBSERVERS),
        ...terms,
      }),
      merkleRoot: hex(32),
      judgement: closed(judgement),
    }),
    ...evidence,
  });
