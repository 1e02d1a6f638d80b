import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { domainEventOf } from '../../domain/event.ts';
import { LEDGER_STREAM, type LedgerEvent } from '../../domain/ledger/events.ts';
import { emptyLedger, foldLedger, total } from '../../domain/ledger/fold.ts';
import type { Command, CommandOutcome } from '../../domain/ports/lifecycles.ts';
import { LIFECYCLES, type LifecycleName } from '../../domain/registry.ts';
import { checkLiveState } from '../../infra/audit/live-state.ts';
import { chainEntryOf, verifyChain } from '../../infra/event-store/chain.ts';
import { type PostgresServer, startPostgres } from '../../infra/stack/postgres.ts';
import { COMMAND_CASES, type CommandCase, SUBMITTER } from '../support/commands/cases.ts';
import { randomEffects } from '../support/commands/random-effects.ts';
import { expectLifecycleInOrder, type Sent } from '../support/faults/lifecycle-model.ts';
import { type Engine, metaOf, now, openEngine } from '../support/open-engine.ts';
import { temporalAddress } from '../support/temporal.ts';

/** Schedules of each aggregate; a thousand take long. */
const SCHEDULES = Number(process.env['STATEFUL_SCHEDULES'] ?? 12);
/** Calls under way at the same time. */
const AT_ONCE = 48;
const ROUNDS = 3;
/** Appends after which a worker dies between commit and answer; it dies elsewhere, too. */
const LIFE = { least: 20, most: 60 + SCHEDULES };
const WORKER = fileURLToPath(new URL('./mortal-worker.ts', import.meta.url));

let directory: string;
let postgres: PostgresServer;
let engine: Engine;
let address: string;

const startServer = (port?: number): Promise<PostgresServer> =>
  startPostgres({
    directory: join(directory, 'postgres'),
    logFile: join(directory, 'postgres.log'),
    password: null,
    durable: false,
    ...(port !== undefined && { port }),
  });

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'aivillage-stateful-'));
  await chmod(directory, 0o755);
  postgres = await startServer();
  address = await temporalAddress();
  engine = await openEngine({ databaseUrl: postgres.url, address, activities: randomEffects });
});
afterAll(async () => {
  await engine?.stop();
  await postgres?.stop();
  await rm(directory, { recursive: true, force: true });
});

/** Workers that die and are started again, until it is over. */
const mortalWorkers = () => {
  const over = new AbortController();
  let child: ChildProcess | null = null;
  let deaths = 0;
  const running = (async () => {
    while (!over.signal.aborted) {
      const life = String(randomInt(LIFE.least, LIFE.most));
      child = spawn(process.execPath, [WORKER, postgres.url, address, engine.taskQueue, life], {
        stdio: ['ignore', 'ignore', 'ignore'],
      });
      await once(child, 'exit');
      deaths += 1;
    }
  })();
  return {
    deaths: () => deaths,
    kill: () => child?.kill('SIGKILL'),
    stop: async () => {
      over.abort();
      child?.kill('SIGKILL');
      await running;
    },
  };
};

interface Letter {
  readonly stream: string;
  readonly aggregate: LifecycleName;
  readonly isOpening: boolean;
  readonly commandId: string;
  readonly command: Command;
  readonly actor: string;
  readonly heard: CommandOutcome[];
}

/** An answer in the end: whoever is told to try again, or nothing, tries again with the same id. */
const send = async (letter: Letter): Promise<void> => {
  const { aggregate, stream, command, commandId, actor, isOpening, heard } = letter;
  for (;;) {
    try {
      const meta = metaOf(commandId, actor);
      const outcome = isOpening
        ? await engine.lifecycles.open(aggregate, stream, command, meta)
        : await engine.lifecycles.execute(stream, command, meta);
      if (outcome.ok || outcome.code !== 'RESOURCE_UNAVAILABLE') return void heard.push(outcome);
    } catch {
      // PostgreSQL is away, or came back in the middle of it.
      await sleep(100);
    }
  }
};

const sendAll = async (letters: readonly Letter[]): Promise<void> => {
  const waiting = letters.values();
  const sender = async (): Promise<void> => {
    for (const letter of waiting) await send(letter);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, sender));
};

/** Terms short enough for deadlines to pass in the middle of it, every other time. */
const withTerms = (aggregate: LifecycleName, command: Command): Command => {
  if (randomInt(2) === 0) return command;
  switch (aggregate) {
    case 'auction':
    case 'job':
      return { ...command, auctionSeconds: 1 } as Command;
    case 'topology':
      return { ...command, registrationClosesAt: now(), startsAt: now() } as Command;
    case 'enclave':
    case 'quorum':
      return { ...command, lifetimeSeconds: 2 } as Command;
    case 'predicate':
      return command;
  }
};

/** A schedule: a stream, how it is opened, and what else is sent to it, round by round. */
const scheduleOf = (aggregate: LifecycleName, number: number): readonly (readonly Letter[])[] => {
  const id = `${randomBytes(6).toString('hex')}-${number}`;
  const cases = Object.values(COMMAND_CASES[aggregate]).map(
    (make: (id: string, now: string) => CommandCase) => make(id, now()),
  );
  const opening = cases.find(({ given }) => given === null) as CommandCase;
  const letter = ({ stream, command, actor }: CommandCase, key: string, isOpening: boolean): Letter => ({
    stream,
    aggregate,
    isOpening,
    commandId: `command-${id}-${key}`,
    command: isOpening ? withTerms(aggregate, command) : command,
    actor,
    heard: [],
  });
  const rounds: Letter[][] = [[letter(opening, 'open', true)]];
  for (let round = 1; round < ROUNDS; round++) {
    const sent = Array.from({ length: randomInt(1, 3) }, (_, at) => {
      const drawn = cases[randomInt(cases.length)] as CommandCase;
      return letter(drawn, `${round}-${at}`, drawn.given === null);
    });
    // Sent twice at once, or what an earlier round sent.
    const earlier = rounds.flat();
    rounds.push([
      ...sent,
      ...(randomInt(2) ? sent.slice(0, 1) : [earlier[randomInt(earlier.length)] as Letter]),
    ]);
  }
  return rounds;
};

describe('stateful.idempotency', () => {
  test(`lifecycles: ${SCHEDULES} schedules of each, with workers and PostgreSQL killed between commit and answer`, {
    timeout: 3_600_000,
  }, async () => {
    const names = Object.keys(LIFECYCLES) as LifecycleName[];
    const schedules = names.flatMap((name) =>
      Array.from({ length: SCHEDULES }, (_, number) => scheduleOf(name, number)),
    );
    for (const owner of [SUBMITTER, 'owner-1']) await engine.fund(owner, BigInt(SCHEDULES) * 2_500n);

    await engine.withoutWorker(async () => {
      const workers = mortalWorkers();
      for (let round = 0; round < ROUNDS; round++) {
        const sending = sendAll(schedules.flatMap((schedule) => schedule[round] ?? []));
        const killing = sleep(randomInt(1_000, 6_000)).then(workers.kill);
        if (round > 0) {
          await sleep(randomInt(500, 3_000));
          await postgres.stop();
          postgres = await startServer(postgres.port);
        }
        await Promise.all([sending, killing]);
      }
      expect(workers.deaths()).toBeGreaterThanOrEqual(ROUNDS);
      await workers.stop();
    });

    // Everybody asks once more, of an engine that nothing happens to.
    const letters = [...new Set(schedules.flat(2))];
    await sendAll(letters);

    const byStream = Map.groupBy(letters, ({ stream }) => stream);
    for (const [stream, sent] of byStream) {
      const events = await engine.store.readStream(stream);
      const decided = await engine.store.findCommands(
        stream,
        sent.map(({ commandId }) => commandId),
      );
      expectLifecycleInOrder(stream, events, decided, sent satisfies readonly Sent[]);
      const revision = BigInt(events.length - 1);
      if (revision >= 0n)
        expect(await checkLiveState({ ...engine, attempts: 60 }, stream, revision), stream).toEqual([]);
    }
    const log = await engine.store.readAll({ after: 0n, limit: 10_000_000 });
    expect(verifyChain(log.map(chainEntryOf)).faults).toEqual([]);
    const ledger = foldLedger(
      emptyLedger,
      (await engine.store.readStream(LEDGER_STREAM)).map((event) => domainEventOf<LedgerEvent>(event)),
    );
    expect(total(ledger)).toBe(0n);
  });
});
