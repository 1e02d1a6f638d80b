import type { Pool } from 'pg';

export interface PlacesDeps {
  readonly pool: Pool;
  /** What the places are for; claims of another kind do not count. */
  readonly kind: string;
  /** Places of one principal. */
  readonly limit: number;
  /** Whether `stream` needs its place, by the log; null while there is no such stream. */
  readonly needs: (stream: string) => Promise<boolean | null>;
  /** Of a principal's places, those that were given to it without a claim. */
  readonly givenTo?: (principal: string) => Promise<number>;
}

/** A bounded number of places for each principal, whichever process is asked. */
export interface Places {
  readonly limit: number;
  /** Takes a place for `stream`, or says that there is none. The same stream takes one place, however often it asks. */
  claim(principal: string, stream: string): Promise<boolean>;
  /** Gives back the place of a stream that did not come to be; one that is there keeps it. */
  release(principal: string, stream: string): Promise<void>;
}

/** How long a claim counts whose stream is not there yet: its command is under way, or its process has died. */
const UNDER_WAY = '60 seconds';

interface Claim {
  readonly stream: string;
  readonly underWay: boolean;
}

export const createPlaces = ({
  pool,
  kind,
  limit,
  needs,
  givenTo = () => Promise.resolve(0),
}: PlacesDeps): Places => {
  /** One claim at a time of a principal: counting and taking are one step. Null when it is taken, else who is in the way. */
  const take = async (principal: string, stream: string): Promise<readonly Claim[] | null> => {
    const left = limit - (await givenTo(principal));
    const client = await pool.connect();
    try {
      await client.query('begin');
      await client.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`${kind}/${principal}`]);
      const { rows } = await client.query<Claim>(
        `select stream, claimed_at > now() - interval '${UNDER_WAY}' as "underWay"
           from engine.places where kind = $1 and principal = $2`,
        [kind, principal],
      );
      const has = rows.some((claim) => claim.stream === stream);
      if (!has && rows.length < left)
        await client.query('insert into engine.places (kind, principal, stream) values ($1, $2, $3)', [
          kind,
          principal,
          stream,
        ]);
      await client.query('commit');
      client.release();
      return has || rows.length < left ? null : rows;
    } catch (error) {
      // The connection's end is the transaction's.
      client.release(true);
      throw error;
    }
  };

  const drop = async (principal: string, streams: readonly string[]): Promise<void> => {
    await pool.query('delete from engine.places where kind = $1 and principal = $2 and stream = any($3)', [
      kind,
      principal,
      streams,
    ]);
  };

  return {
    limit,
    async claim(principal, stream) {
      for (;;) {
        const inTheWay = await take(principal, stream);
        if (!inTheWay) return true;
        const needed = await Promise.all(
          inTheWay.map(async (claim) => (await needs(claim.stream)) ?? claim.underWay),
        );
        const over = inTheWay.filter((_, index) => !needed[index]).map((claim) => claim.stream);
        if (over.length === 0) return false;
        await drop(principal, over);
      }
    },
    async release(principal, stream) {
      if (!(await needs(stream))) await drop(principal, [stream]);
    },
  };
};
