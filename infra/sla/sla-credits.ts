import { domainEventOf, type EventContext, eventId, newEvent } from '../../domain/event.ts';
import { account, LEDGER_STREAM } from '../../domain/ledger/events.ts';
import { balanceOf } from '../../domain/ledger/fold.ts';
import { toMicro } from '../../domain/money.ts';
import { type EventStore, NO_STREAM, type StreamAppend } from '../../domain/ports/event-store.ts';
import { type CreditClaim, creditMovement, decideCredit } from '../../domain/sla/credit.ts';
import { type SlaEvent, slaStream } from '../../domain/sla/events.ts';
import { evolveSla, noCredit, type SlaAccount } from '../../domain/sla/fold.ts';
import { decideMoney, followLedger, type LedgerState, ledgerSnapshot } from '../ledger/ledger.ts';

/** What a provider owes for a job, and the position of the newest event about it. */
export interface SlaStanding {
  readonly account: SlaAccount;
  /** 0 before the first. */
  readonly position: bigint;
}

export interface Settled {
  readonly credit: SlaStanding;
  /** Of the proof or of the newest credit, whichever is later. */
  readonly position: bigint;
}

export interface SlaCredits {
  /**
   * Records a proof and settles what it gives back, in one atomic step, as the answer to the command `context.causationId`.
   * That command again gets its first answer; the proof again by another moves nothing, but what could not be paid before.
   */
  settle(proof: StreamAppend, claim: CreditClaim, context: EventContext): Promise<Settled>;
  standing(jobId: string, providerId: string): Promise<SlaStanding>;
}

const later = (a: bigint, b: bigint): bigint => (a > b ? a : b);

/**
 * Credits under SLAs. Each try decides on what the store holds and writes only if proof, credits and ledger still stand
 * where they were read: no credit is given twice, and no account overdrawn, whoever else writes.
 */
export const createSlaCredits = (
  store: Pick<EventStore, 'appendMany' | 'findCommands' | 'loadSnapshot' | 'readStream'>,
): SlaCredits => {
  /** As it stands now, or stood at a position of the log. */
  const read = async (
    stream: string,
    upTo?: bigint,
  ): Promise<SlaStanding & { readonly revision: bigint }> => {
    const all = await store.readStream(stream);
    const events = upTo === undefined ? all : all.filter(({ position }) => position <= upTo);
    return {
      account: events.reduce((state, event) => evolveSla(state, domainEventOf<SlaEvent>(event)), noCredit),
      position: events.at(-1)?.position ?? 0n,
      revision: events.at(-1)?.revision ?? NO_STREAM,
    };
  };

  /** What the command came to when it recorded the proof, or collected what was still due. */
  const earlier = async (streams: readonly string[], credits: string, commandId: string) => {
    for (const stream of streams) {
      const [decided] = await store.findCommands(stream, [commandId]);
      if (!decided) continue;
      const { position } = decided;
      const { account: credited, position: at } = await read(credits, position);
      return { credit: { account: credited, position: at }, position };
    }
    return null;
  };

  return {
    settle: async (proof, claim, context) => {
      const { jobId, providerId, owner } = claim.service;
      const stream = slaStream(jobId, providerId);
      const commandId = context.causationId;
      let ledger: LedgerState = await ledgerSnapshot(store);
      for (;;) {
        const [recorded] = await store.readStream(proof.stream, { from: 0n, to: 0n });
        const known = recorded && (await earlier([proof.stream, stream], stream, commandId));
        if (known) return known;
        const before = await read(stream);
        ledger = await followLedger(store, ledger);
        const available = toMicro(balanceOf(ledger.ledger, account.available(owner)));
        const { events } = decideCredit(before.account, claim, { available, now: context.occurredAt });
        const entries = events.map((event, index) =>
          creditMovement(event, eventId(stream, before.revision + 1n + BigInt(index))),
        );
        const money = decideMoney(ledger.ledger, [{ context, entries }]);
        if (!money.ok) throw new Error(`${stream}: ${money.rejection.message}`);
        // The credit comes last: a reader at its position sees the money, too.
        const appends: StreamAppend[] = [
          ...(recorded ? [] : [proof]),
          { stream: LEDGER_STREAM, expectedRevision: ledger.revision, events: money.events },
          {
            stream,
            expectedRevision: before.revision,
            // A credit follows from the proof of its step; one behind a proof of long ago answers whoever sent it again.
            events: events.map((event) =>
              newEvent(event, { ...context, causationId: recorded ? commandId : eventId(proof.stream, 0) }),
            ),
            ...(recorded && { commands: [commandId] }),
          },
        ].filter((append) => append.events.length > 0);
        if (recorded && appends.length === 0)
          return { credit: before, position: later(recorded.position, before.position) };
        const appended = await store.appendMany(appends);
        // What stood there already is told as it came to stand.
        if (appended.ok && !appended.replayed) {
          const { position } = appended;
          // Where it gives nothing, others may have moved the credit between the reading and the append.
          const { account: credited, position: at } = await read(stream, position);
          return { credit: { account: credited, position: at }, position };
        }
      }
    },

    standing: (jobId, providerId) => read(slaStream(jobId, providerId)),
  };
};
