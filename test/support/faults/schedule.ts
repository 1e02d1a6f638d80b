import * as fc from 'fast-check';
import type { EventStore } from '../../../domain/ports/event-store.ts';
import {
  FAULTS,
  type Fault,
  type FaultyStore,
  faultyStore,
  ProcessDied,
  ServerAway,
} from './faulty-store.ts';

/** One call: which command of the schedule, and which of two processes is asked. */
export interface Call {
  readonly command: number;
  readonly process: 0 | 1;
}

/** Commands, who sends them when, and what goes wrong. Calls of a round are made at once; a command sent again is a retry. */
export interface Schedule<Command> {
  readonly commands: readonly Command[];
  readonly rounds: readonly (readonly Call[])[];
  /** What becomes of the writes, in order, again and again. */
  readonly faults: readonly Fault[];
  /** Turns that answers take, in order, again and again. */
  readonly turns: readonly number[];
}

/** What a caller heard, and between which positions of the log it was decided. */
export interface Heard<Answer> {
  readonly command: number;
  readonly answer: Answer;
  /** Head of the log when the call began and when it ended. */
  readonly from: bigint;
  readonly to: bigint;
}

const OFTEN_NONE = ['none', 'none', ...FAULTS] as const;

/** Random schedules over these commands: about half of all writes meet a fault, and every command is sent 1 to 4 times. */
export const scheduleOf = <Command>(command: fc.Arbitrary<Command>): fc.Arbitrary<Schedule<Command>> =>
  fc.array(command, { minLength: 2, maxLength: 6 }).chain((commands) =>
    fc.record({
      commands: fc.constant(commands),
      rounds: fc.array(
        fc.array(
          fc.record({
            command: fc.nat({ max: commands.length - 1 }),
            process: fc.constantFrom(0 as const, 1 as const),
          }),
          { minLength: 1, maxLength: 3 },
        ),
        { minLength: 2, maxLength: 6 },
      ),
      faults: fc.array(fc.constantFrom(...OFTEN_NONE), { minLength: 1, maxLength: 8 }),
      turns: fc.array(fc.nat({ max: 5 }), { minLength: 1, maxLength: 8 }),
    }),
  );

const cycle = <Value>(values: readonly Value[]): (() => Value) => {
  let next = 0;
  return () => values[next++ % values.length] as Value;
};

/** Runs of the same schedule share a log: what tells their streams and commands apart. */
export const commandIdOf = (run: string, command: number): string => `command-${run}-${command}`;

/**
 * Plays a schedule: dead processes are replaced by fresh ones, which know nothing but the log. In the end every command
 * that was sent is sent once more, to a fresh process, and nothing goes wrong any more.
 */
export const play = async <Command, Service, Answer>(
  { commands, rounds, faults, turns }: Schedule<Command>,
  log: EventStore,
  open: (store: EventStore) => Service,
  ask: (service: Service, command: Command, index: number) => Promise<Answer>,
): Promise<readonly Heard<Answer>[]> => {
  const plan = { fault: cycle(faults), turns: cycle(turns) };
  const heard: Heard<Answer>[] = [];
  const start = (): FaultyStore & { readonly service: Service } => {
    const faulty = faultyStore(log, plan);
    return { ...faulty, service: open(faulty.store) };
  };
  const processes = [start(), start()];

  const call = async (service: Service, command: number): Promise<void> => {
    const { position: from } = await log.head();
    try {
      const answer = await ask(service, commands[command] as Command, command);
      heard.push({ command, answer, from, to: (await log.head()).position });
    } catch (error) {
      if (!(error instanceof ProcessDied || error instanceof ServerAway)) throw error;
    }
  };

  for (const round of rounds) {
    for (const [at, process] of processes.entries()) if (process.isDead()) processes[at] = start();
    await Promise.all(
      round.map(({ command, process }) =>
        call((processes[process] as (typeof processes)[0]).service, command),
      ),
    );
  }
  const fresh = open(log);
  const sent = new Set(rounds.flat().map(({ command }) => command));
  for (const command of sent) await call(fresh, command);
  return heard;
};
