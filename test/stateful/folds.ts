import { randomBytes } from 'node:crypto';
import * as fc from 'fast-check';
import { expect } from 'vitest';
import type { Rejection } from '../../domain/errors.ts';
import { domainEventOf, newEvent, type RecordedEvent } from '../../domain/event.ts';
import { decideEntry } from '../../domain/ledger/decide.ts';
import { transfer } from '../../domain/ledger/entry.ts';
import { account, LEDGER_STREAM, type LedgerEvent } from '../../domain/ledger/events.ts';
import {
  balanceOf,
  emptyLedger,
  evolveLedger,
  foldLedger,
  type Ledger,
  total,
} from '../../domain/ledger/fold.ts';
import { toMicro, units } from '../../domain/money.ts';
import { type EventStore, NO_STREAM, type StreamAppend } from '../../domain/ports/event-store.ts';
import { contextStream, nullifierStream } from '../../domain/predicate/acceptance.ts';
import { contextField } from '../../domain/predicate/context.ts';
import { scopeField } from '../../domain/predicate/statement.ts';
import type { ProviderCommand } from '../../domain/provider/decide.ts';
import { providerDecider } from '../../domain/provider/decider.ts';
import type { ProviderEvent } from '../../domain/provider/events.ts';
import type { ProviderState } from '../../domain/provider/fold.ts';
import { type SlaEvent, slaStream } from '../../domain/sla/events.ts';
import { evolveSla, noCredit } from '../../domain/sla/fold.ts';
import { type Service, serviceOf } from '../../domain/sla/service.ts';
import { jobEvents } from '../../domain/sla/sla.fixture.ts';
import type { SubjectCommand } from '../../domain/subject/commands.ts';
import { subjectDecider } from '../../domain/subject/decider.ts';
import {
  createCommandHandler,
  type HandleCommand,
  type Handled,
} from '../../infra/journal/handle-command.ts';
import { createJournal } from '../../infra/journal/journal.ts';
import { createSlaCredits, type SlaStanding } from '../../infra/sla/sla-credits.ts';
import { createAcceptances, type VerifiedProof } from '../../infra/zk/acceptances.ts';
import { providerCommands, subjectCommands } from '../support/commands/fold-commands.ts';
import { expectOneEffectEach } from '../support/faults/decider-model.ts';
import { commandIdOf, type Heard, play, type Schedule, scheduleOf } from '../support/faults/schedule.ts';

/** A property of one aggregate: a random schedule, played against a log and held against the model. */
export interface Idempotent {
  readonly name: string;
  readonly check: (logFor: () => EventStore, schedules: number) => Promise<void>;
}

const checked = <Command>(
  schedules: number,
  drawn: fc.Arbitrary<Schedule<Command>>,
  holds: (schedule: Schedule<Command>) => Promise<void>,
): Promise<void> => fc.assert(fc.asyncProperty(drawn, holds), { numRuns: schedules });

const now = (): string => new Date().toISOString();
const newRun = (): string => randomBytes(8).toString('hex');

const revisionOf = async (log: EventStore, stream: string): Promise<bigint> =>
  (await log.readStream(stream)).at(-1)?.revision ?? NO_STREAM;

const contextOf = (causationId: string) => ({
  occurredAt: now(),
  actor: 'test',
  correlationId: causationId,
  causationId,
  traceparent: null,
});

/** Pays `amount` in from outside. */
export const fund = async (
  log: EventStore,
  owner: string,
  amount: bigint,
  cause = `fund-${owner}`,
): Promise<void> => {
  const entry = transfer('credit', account.external, account.available(owner), toMicro(amount), cause);
  const posted = await createJournal({ store: log }).post([entry], contextOf(cause), cause);
  if (!posted.ok) throw new Error(posted.message);
};

/**
 * The ledger after each of its events from `after` on, by position, as far as these events move it. Σ = 0 and no
 * overdraft are checked on the way.
 */
export const ledgerHistory = async (
  log: EventStore,
  from = 0n,
): Promise<
  readonly { readonly position: bigint; readonly ledger: Ledger; readonly event: RecordedEvent }[]
> => {
  let ledger: Ledger = emptyLedger;
  return (await log.readStream(LEDGER_STREAM, { from })).map((event) => {
    ledger = evolveLedger(ledger, domainEventOf<LedgerEvent>(event));
    expect(total(ledger)).toBe(0n);
    for (const name of Object.keys(ledger.balances))
      if (name !== account.external) expect(balanceOf(ledger, name), name).toBeGreaterThanOrEqual(0n);
    return { position: event.position, ledger, event };
  });
};

/** Whether `owner` had less than `amount` at some time of a call. */
const wasPoor = (
  history: Awaited<ReturnType<typeof ledgerHistory>>,
  owner: string,
  amount: bigint,
  { from, to }: Heard<unknown>,
): boolean =>
  history.some(
    ({ position, ledger }, at) =>
      position <= to &&
      (history[at + 1]?.position ?? to + 1n) > from &&
      balanceOf(ledger, account.available(owner)) < amount,
  );

const FUNDS = 200_000n;

const provider: Idempotent['check'] = (logFor, schedules) => {
  const [providerId, owner] = ['provider-x', 'subject-x'];
  return checked(schedules, scheduleOf(providerCommands(providerId, owner)), async (schedule) => {
    const log = logFor();
    const run = newRun();
    const stream = `provider-${run}`;
    const payer = `subject-${run}`;
    const begin = await revisionOf(log, LEDGER_STREAM);
    await fund(log, payer, FUNDS);
    const commands = schedule.commands.map(
      (command): ProviderCommand =>
        command.type === 'register' ? { ...command, providerId: stream, owner: payer } : command,
    );
    const open = (store: EventStore): HandleCommand =>
      createCommandHandler({ store, append: createJournal({ store }).step, now });
    const commandIds = commands.map((_, index) => commandIdOf(run, index));
    const heard = await play({ ...schedule, commands }, log, open, (handle, command, index) =>
      handle(providerDecider, stream, command, { actor: payer, commandId: commandIds[index] as string }),
    );
    const history = await ledgerHistory(log, begin + 1n);
    const events = await log.readStream(stream);
    /** Money comes behind all events of its step, whichever of them it follows. */
    const stepEnd = ({ causationId, position }: RecordedEvent): bigint => {
      const step = new Set(events.filter((event) => event.causationId === causationId).map(({ id }) => id));
      return history.findLast(({ event }) => step.has(event.causationId))?.position ?? position;
    };
    expectOneEffectEach({
      decider: providerDecider,
      events,
      stepEnd,
      commandIds,
      commands,
      actorOf: () => payer,
      heard,
      isRefusedElsewhere: (command, _: ProviderState, refusal: Rejection, call) =>
        refusal.code === 'INSUFFICIENT_BALANCE' &&
        (command.type === 'lock-stake' || command.type === 'post-bond') &&
        wasPoor(history, payer, units(command.amount), call),
    });
    const state = events.reduce<ProviderState>(
      (before, event) => providerDecider.evolve(before, domainEventOf(event)),
      null,
    );
    const ledger = history.at(-1)?.ledger ?? emptyLedger;
    const staked = units(state?.stake ?? toMicro(0n));
    const slashed = events
      .map((event) => domainEventOf<ProviderEvent>(event))
      .filter(({ type }) => type === 'provider.stake-slashed' || type === 'provider.bond-forfeited')
      .reduce((sum, event) => sum + ('amount' in event ? units(event.amount) : 0n), 0n);
    const posted = units(state?.bond?.amount ?? toMicro(0n));
    expect(balanceOf(ledger, account.stake(stream))).toBe(staked);
    expect(balanceOf(ledger, account.bond(stream))).toBe(posted);
    expect(balanceOf(ledger, account.available(payer))).toBe(FUNDS - staked - slashed - posted);
  });
};

const subject: Idempotent['check'] = (logFor, schedules) =>
  checked(schedules, scheduleOf(subjectCommands('subject-x')), async (schedule) => {
    const log = logFor();
    const run = newRun();
    const stream = `subject-${run}`;
    const commands = schedule.commands.map(
      (command): SubjectCommand => (command.type === 'enrol' ? { ...command, subjectId: stream } : command),
    );
    const open = (store: EventStore): HandleCommand =>
      createCommandHandler({ store, append: (own) => store.append(own), now });
    const commandIds = commands.map((_, index) => commandIdOf(run, index));
    // Half of them by the principal itself, who may not do everything to itself.
    const actorOf = (command: SubjectCommand): string =>
      commands.indexOf(command) % 2 === 0 ? stream : 'subject-admin';
    const heard = await play({ ...schedule, commands }, log, open, (handle, command, index) =>
      handle(subjectDecider, stream, command, {
        actor: actorOf(command),
        commandId: commandIds[index] as string,
      }),
    );
    expectOneEffectEach({
      decider: subjectDecider,
      events: await log.readStream(stream),
      stepEnd: ({ position }) => position,
      commandIds,
      commands,
      actorOf,
      heard,
    });
  });

/** Money that comes from outside, of a few references; one reference counts once, whoever sends it. */
const creditOf = fc.record({
  reference: fc.constantFrom('a', 'b', 'c'),
  amount: fc.integer({ min: 1, max: 9 }),
});

const ledgerPostings: Idempotent['check'] = (logFor, schedules) =>
  checked(schedules, scheduleOf(creditOf), async (schedule) => {
    const log = logFor();
    const run = newRun();
    const owner = `subject-${run}`;
    const begin = await revisionOf(log, LEDGER_STREAM);
    const entryOf = ({ reference, amount }: { readonly reference: string; readonly amount: number }) =>
      transfer(
        'credit',
        account.external,
        account.available(owner),
        toMicro(BigInt(amount)),
        `credit:${reference}-${run}`,
        owner,
      );
    const commandIds = schedule.commands.map((_, index) => commandIdOf(run, index));
    const heard = await play(
      schedule,
      log,
      (store) => createJournal({ store }),
      (books, command, index) => {
        const commandId = commandIds[index] as string;
        return books.post([entryOf(command)], contextOf(commandId), commandId);
      },
    );
    // Others may post meanwhile where runs share a log.
    const events = (await log.readStream(LEDGER_STREAM, { from: begin + 1n })).filter(({ causationId }) =>
      commandIds.includes(causationId),
    );
    expectOneEffectEach({
      decider: {
        initialState: emptyLedger,
        evolve: evolveLedger,
        decide: (ledger: Ledger, command) => decideEntry(ledger, entryOf(command)),
      },
      events: events.map((event, at) => ({ ...event, revision: BigInt(at) })),
      stepEnd: ({ position }) => position,
      commandIds,
      commands: schedule.commands,
      actorOf: () => 'test',
      heard: heard.map((each) => ({
        ...each,
        answer: each.answer.ok ? answeredAt(events, BigInt(each.answer.position)) : each.answer,
      })),
    });
    await ledgerHistory(log, begin + 1n);
  });

/** What a position says of the ledger: the state after the entry that stands there. */
const answeredAt = (events: readonly RecordedEvent[], position: bigint): Handled<Ledger> => {
  const at = events.findIndex((event) => event.position === position);
  expect(at).toBeGreaterThanOrEqual(0);
  const state = foldLedger(
    emptyLedger,
    events.slice(0, at + 1).map((event) => domainEventOf<LedgerEvent>(event)),
  );
  return { ok: true, state, revision: BigInt(at), position };
};

/** One or two proofs of few holders and contexts: most of them meet another that used theirs. */
const proofsOf = fc.array(fc.record({ nullifier: fc.nat({ max: 3 }), context: fc.nat({ max: 3 }) }), {
  minLength: 1,
  maxLength: 2,
});

const acceptance: Idempotent['check'] = (logFor, schedules) =>
  checked(schedules, scheduleOf(proofsOf), async (schedule) => {
    const log = logFor();
    const run = newRun();
    const verified = (proofs: (typeof schedule.commands)[0]): VerifiedProof[] =>
      proofs.map(({ nullifier, context }) => ({
        nullifier: String(BigInt(`0x${run}`) * 10n + BigInt(nullifier)),
        context: {
          verifier: 'subject-1',
          nonce: `${run}${context}`,
          circuitId: 'ab'.repeat(32),
          keyHash: 'cd'.repeat(32),
          scope: 'test',
          issuedAt: '2026-01-01T00:00:00.000Z',
          expiresAt: '2026-01-01T01:00:00.000Z',
        },
      }));
    const commandIds = schedule.commands.map((_, index) => commandIdOf(run, index));
    const heard = await play(
      schedule,
      log,
      (store) => createAcceptances({ store, now }),
      (acceptances, command, index) =>
        acceptances.accept(verified(command), {
          commandId: commandIds[index] as string,
          actor: 'subject-1',
          traceparent: null,
        }),
    );
    /** The two streams that a proof leaves a mark in, with why the second of two is refused. */
    const marksOf = (command: (typeof schedule.commands)[0]) =>
      verified(command).flatMap(({ context, nullifier }, proof) => [
        { proof, stream: nullifierStream(scopeField(context.scope), nullifier), reason: 'nullifier_used' },
        { proof, stream: contextStream(contextField(context)), reason: 'context_used' },
      ]);
    const streams = await log.readStreams([
      ...new Set(schedule.commands.flatMap((command) => marksOf(command).map(({ stream }) => stream))),
    ]);
    for (const events of streams.values()) expect(events).toHaveLength(1);
    const markIn = (stream: string): RecordedEvent | undefined => streams.get(stream)?.[0];
    for (const { command, answer, to } of heard) {
      const marks = marksOf(schedule.commands[command] as (typeof schedule.commands)[0]);
      const found = marks.map(({ stream }) => markIn(stream));
      const own = found.filter((mark) => mark?.causationId === commandIds[command]);
      // All of its proofs or none.
      expect([0, marks.length]).toContain(own.length);
      if (answer.ok) {
        expect(own).toHaveLength(marks.length);
        expect(answer).toEqual({
          ok: true,
          ids: marks.filter(({ reason }) => reason === 'nullifier_used').map(({ stream }) => stream),
          position: own.reduce((last, mark) => (mark && mark.position > last ? mark.position : last), 0n),
        });
        continue;
      }
      const twice = marks.filter(({ stream }, at) => marks.findIndex((mark) => mark.stream === stream) < at);
      const used = marks.filter(({ stream }) => {
        const mark = markIn(stream);
        return mark && mark.position <= to && mark.causationId !== commandIds[command];
      });
      expect([...twice, ...used]).toContainEqual(
        expect.objectContaining({ proof: answer.proof, reason: answer.reason }),
      );
      expect(own).toEqual([]);
    }
  });

/** Proofs of breaches in one job, sent by commands of their own, while the provider's money comes and goes. */
const breach = fc.record({ proof: fc.nat({ max: 2 }), gain: fc.constantFrom(0, 50, 400) });
const BREACHES = [10, 25, 100];

const slaCredits: Idempotent['check'] = (logFor, schedules) =>
  checked(schedules, scheduleOf(breach), async (schedule) => {
    const log = logFor();
    const run = newRun();
    const [owner, submitter, jobId] = [`subject-${run}-o`, `subject-${run}-s`, `job-${run}`];
    const service = serviceOf(jobEvents({ jobId, owner, submitter, fee: 1000 }), 'provider-0') as Service;
    const begin = await revisionOf(log, LEDGER_STREAM);
    await fund(log, owner, 100n);
    const commandIds = schedule.commands.map((_, index) => commandIdOf(run, index));
    const proofIds = BREACHES.map((_, proof) => `proof-${run}-${proof}`);
    let gains = 0;
    const heard = await play(schedule, log, createSlaCredits, async (credits, { proof, gain }, index) => {
      const commandId = commandIds[index] as string;
      const context = contextOf(commandId);
      const stream = proofIds[proof] as string;
      const record: StreamAppend = {
        stream,
        expectedRevision: NO_STREAM,
        events: [newEvent({ type: 'proof.sla-compliance-recorded' }, context)],
        commands: [commandId],
      };
      const claim = { service, proofId: stream, creditPercent: BREACHES[proof] as number };
      const settled = await credits.settle(record, claim, context);
      if (gain > 0) await fund(log, owner, BigInt(gain), `gain-${run}-${gains++}`);
      return settled;
    });
    const stream = slaStream(jobId, 'provider-0');
    const events = await log.readStream(stream);
    const standingAt = (position: bigint): SlaStanding => {
      const until = events.filter((event) => event.position <= position);
      return {
        account: until.reduce((state, event) => evolveSla(state, domainEventOf<SlaEvent>(event)), noCredit),
        position: until.at(-1)?.position ?? 0n,
      };
    };
    const records = (await log.readStreams(proofIds))
      .values()
      .flatMap((each) => [...each])
      .toArray();
    for (const [index, commandId] of commandIds.entries()) {
      // Its effect: the record with the credit behind it, or the credit that it collected later.
      const recorded = records.filter(({ causationId }) => causationId === commandId);
      const credited = events.filter(
        ({ causationId }) => causationId === commandId || causationId === recorded[0]?.id,
      );
      expect(recorded.length).toBeLessThanOrEqual(1);
      expect(credited.length).toBeLessThanOrEqual(1);
      const effects = [...recorded, ...credited];
      for (const { answer, from, to } of heard.filter(({ command }) => command === index)) {
        const { position, account: standing } = answer.credit;
        // It was told the last effect at some time of its call: another call may have collected the credit meanwhile.
        const before = effects.findLast((event) => event.position <= from);
        const during = effects.filter((event) => event.position > from && event.position <= to);
        const told = [...(before ? [before] : []), ...during].map((event) => event.position);
        if (before || told.includes(answer.position)) {
          expect(told).toContain(answer.position);
          expect({ account: standing, position }).toEqual(standingAt(answer.position));
        } else {
          // It moved nothing, whatever another call of the command did later: it was told how things stood meanwhile.
          const stands = [
            from,
            ...events.map((event) => event.position).filter((at) => at > from && at <= to),
          ];
          expect(stands.map(standingAt)).toContainEqual({ account: standing, position });
        }
      }
    }
    const history = await ledgerHistory(log, begin + 1n);
    const paid = standingAt(2n ** 62n).account.paid;
    expect(balanceOf(history.at(-1)?.ledger ?? emptyLedger, account.available(submitter))).toBe(units(paid));
  });

/** Every aggregate without a workflow. */
export const IDEMPOTENT: readonly Idempotent[] = [
  { name: 'provider', check: provider },
  { name: 'subject', check: subject },
  { name: 'ledger', check: ledgerPostings },
  { name: 'acceptance', check: acceptance },
  { name: 'proof and sla', check: slaCredits },
];
