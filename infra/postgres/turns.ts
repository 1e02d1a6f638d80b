import { escapeLiteral, type Pool, type PoolClient } from 'pg';

/** Lets several processes take turns at what only one may do at a time, in the order in which they asked. */
export interface Turns {
  /**
   * Runs `work` in a turn of this process. What is asked meanwhile joins the turn, for a short while, so that whoever
   * waits waits for a bounded time. Where no turn is to be had (its holder stalls, the server is away) it runs without:
   * a turn keeps others from being in the way and is no lock that correctness rests on. Work is told the number of its turn.
   */
  run<T>(work: (turn: number) => Promise<T>): Promise<T>;
}

export interface TurnsOptions {
  readonly pool: Pool;
  /** What the turns are at; the same name in every process. */
  readonly name: string;
  /** Told when no turn was to be had. */
  readonly onFault?: (message: string, error: unknown) => void;
}

/** How long one turn takes in more work, ms. */
const TURN_MS = 25;
/** Longest wait for a turn, ms. A holder that lives hands it on after `TURN_MS` and one append. */
const WAIT_MS = 1_000;
/** Turns by an advisory lock of PostgreSQL, which it hands on in the order of asking; it is free when its holder dies. */
export const createTurns = ({ pool, name, onFault = () => undefined }: TurnsOptions): Turns => {
  const lock = escapeLiteral(`turn:${name}`);
  let waiting: ((turn: number) => Promise<unknown>)[] = [];
  let turn = 0;
  let taking = false;

  const lost = (error: Error): void => onFault(`a turn at the ${name} lost its connection`, error);

  const end = (client: PoolClient, isBroken: boolean): void => {
    client.off('error', lost);
    client.release(isBroken);
  };

  const take = async (): Promise<PoolClient | null> => {
    let client: PoolClient | null = null;
    try {
      client = await pool.connect();
      client.on('error', lost);
      // The limit ends with the transaction, the lock does not: whoever gets the connection next waits as it always did.
      await client.query(
        `begin; set local lock_timeout = ${WAIT_MS}; select pg_advisory_lock(hashtext(${lock})); commit`,
      );
      return client;
    } catch (error) {
      onFault(`no turn at the ${name}`, error);
      // Whatever state it is in, another one costs less than to find out.
      if (client) end(client, true);
      return null;
    }
  };

  const giveBack = async (client: PoolClient): Promise<void> => {
    try {
      await client.query(`select pg_advisory_unlock(hashtext(${lock}))`);
      end(client, false);
    } catch (error) {
      onFault(`a turn at the ${name} ended with its connection`, error);
      end(client, true);
    }
  };

  /** All that waits, and what joins while it runs. */
  const serve = async (): Promise<void> => {
    turn += 1;
    const until = performance.now() + TURN_MS;
    do {
      const works = waiting;
      waiting = [];
      await Promise.all(works.map((work) => work(turn)));
    } while (waiting.length > 0 && performance.now() < until);
  };

  const takeTurns = async (): Promise<void> => {
    taking = true;
    while (waiting.length > 0) {
      const client = await take();
      await serve();
      if (client) await giveBack(client);
    }
    taking = false;
  };

  return {
    run: (work) =>
      new Promise((resolve, reject) => {
        waiting.push((number) => work(number).then(resolve, reject));
        if (!taking) void takeTurns();
      }),
  };
};
