import { type DomainEvent, newEvent } from '../../domain/event.ts';
import { type EventStore, NO_STREAM } from '../../domain/ports/event-store.ts';
import { type AcceptanceEvent, contextStream, nullifierStream } from '../../domain/predicate/acceptance.ts';
import { contextField, type PredicateContext } from '../../domain/predicate/context.ts';
import { scopeField } from '../../domain/predicate/statement.ts';

/** A proof that verified. */
export interface VerifiedProof {
  readonly context: PredicateContext;
  /** Decimal. */
  readonly nullifier: string;
}

export interface AcceptMeta {
  readonly commandId: string;
  readonly actor: string;
  readonly traceparent: string | null;
}

export type Replay = 'nullifier_used' | 'context_used';

export type Accepted =
  | { readonly ok: true; readonly ids: readonly string[]; readonly position: bigint }
  /** Which proof was refused, counted from 0, and why. Nothing of the others was accepted either. */
  | { readonly ok: false; readonly proof: number; readonly reason: Replay };

interface Mark {
  readonly stream: string;
  readonly proof: number;
  readonly reason: Replay;
  readonly event: AcceptanceEvent;
}

/** Accepts proofs once: all of them in one atomic step, or none. The same command again meets its own first answer. */
export const createAcceptances = ({
  store,
  now,
}: {
  readonly store: Pick<EventStore, 'appendMany' | 'findCommands'>;
  readonly now: () => string;
}) => {
  const marksOf = ({ context, nullifier }: VerifiedProof, proof: number, at: string): readonly Mark[] => {
    const { circuitId, scope, verifier } = context;
    const field = String(contextField(context));
    const acceptance = nullifierStream(scopeField(scope), nullifier);
    return [
      {
        stream: acceptance,
        proof,
        reason: 'nullifier_used',
        event: {
          type: 'predicate.proof-accepted',
          machineVersion: 1,
          circuitId,
          scope,
          nullifier,
          context: field,
          verifier,
          acceptedAt: at,
        },
      },
      {
        stream: contextStream(contextField(context)),
        proof,
        reason: 'context_used',
        event: { type: 'predicate.context-used', machineVersion: 1, context: field, acceptance, verifier },
      },
    ];
  };

  /** The first answer of a command that accepted all of these proofs; null for one that did not. */
  const answerOf = async (
    marks: readonly Mark[],
    ids: readonly string[],
    commandId: string,
  ): Promise<Accepted | null> => {
    const found = await Promise.all(marks.map(({ stream }) => store.findCommands(stream, [commandId])));
    const [first] = found[0] ?? [];
    // A command accepts its proofs in one step: one that knows but some of them was given others then.
    return first && found.every(([decided]) => decided?.position === first.position)
      ? { ok: true, ids, position: first.position }
      : null;
  };

  const refusalOf = (marks: readonly Mark[], stream: string): Accepted => {
    const refused = marks.find((mark) => mark.stream === stream);
    if (!refused) throw new Error(`${stream} conflicts but was not written to`);
    return { ok: false, proof: refused.proof, reason: refused.reason };
  };

  return {
    async accept(proofs: readonly VerifiedProof[], meta: AcceptMeta): Promise<Accepted> {
      const at = now();
      const marks = proofs.flatMap((proof, index) => marksOf(proof, index, at));
      const twice = marks.find(
        ({ stream }, index) => marks.findIndex((each) => each.stream === stream) < index,
      );
      if (twice) return { ok: false, proof: twice.proof, reason: twice.reason };
      const ids = marks.filter(({ reason }) => reason === 'nullifier_used').map(({ stream }) => stream);
      const appended = await store.appendMany(
        marks.map(({ stream, event }) => ({
          stream,
          expectedRevision: NO_STREAM,
          commands: [meta.commandId],
          events: [
            newEvent(event satisfies DomainEvent, {
              occurredAt: at,
              actor: meta.actor,
              correlationId: ids[0] as string,
              causationId: meta.commandId,
              traceparent: meta.traceparent,
            }),
          ],
        })),
      );
      if (appended.ok) return { ok: true, ids, position: appended.position };
      return (await answerOf(marks, ids, meta.commandId)) ?? refusalOf(marks, appended.stream);
    },

    /** The first answer to a command that accepted the proof with this nullifier; null for one that never did. */
    async earlier(scope: string, nullifier: string, commandId: string): Promise<Accepted | null> {
      const stream = nullifierStream(scopeField(scope), nullifier);
      const [decided] = await store.findCommands(stream, [commandId]);
      return decided ? { ok: true, ids: [stream], position: decided.position } : null;
    },
  };
};
export type Acceptances = ReturnType<typeof createAcceptances>;
