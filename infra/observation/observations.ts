import type { Pool } from 'pg';
import type { Finding } from '../../domain/observation/evidence.ts';
import type { ObservationWindow } from '../../domain/observation/window.ts';
import { roundStart } from '../../domain/proof/availability.ts';
import type { Answer, AvailabilityTerms, Beacon, Receipt } from '../../domain/proof/availability-record.ts';
import { hashOfJson } from '../../domain/proof/commit.ts';

/** Whether another chain holds the head already, or the log's signer alone vouches for it. */
export type BeaconSource = 'anchored' | 'signed';

export interface DrawnBeacon extends Beacon {
  readonly source: BeaconSource;
}

/** A round as far as it is collected. */
export interface ObservedRound {
  readonly terms: AvailabilityTerms;
  readonly round: number;
  readonly beacon: Beacon;
  readonly source: BeaconSource;
  readonly answer: Answer | null;
  readonly receipts: readonly Receipt[];
  /** Of the receipts, in their order. */
  readonly findings: readonly Finding[];
}

/** Tables `engine.observed_terms`, `observed_rounds` and `observations`. Whatever comes first stays. */
export interface Observations {
  keepTerms(window: Pick<ObservationWindow, 'stream'>, terms: readonly AvailabilityTerms[]): Promise<void>;
  keepRound(terms: AvailabilityTerms, round: number, beacon: DrawnBeacon): Promise<void>;
  /** How many rounds before `round` have begun in a window: fewer than `round` where one was lost. */
  roundsBefore(window: Pick<ObservationWindow, 'stream'>, round: number): Promise<number>;
  /** @returns the answer that the round rests on: this one, or the one that was there before. */
  keepAnswer(terms: AvailabilityTerms, round: number, answer: Answer): Promise<Answer>;
  keepReceipt(
    terms: AvailabilityTerms,
    round: number,
    seen: { readonly receipt: Receipt; readonly finding: Finding; readonly receivedAt: string },
  ): Promise<void>;
  /** Rounds of windows that end after `since` in which some observer's receipt is missing, newest first. */
  unfinished(since: string): Promise<readonly ObservedRound[]>;
  /** Every round of a provider's windows that are over by `at`, the newest window first. */
  ofProvider(providerId: string, at: string): Promise<readonly ObservedRound[]>;
  /** The newest rounds of a provider, newest first. */
  newestOf(providerId: string, limit: number): Promise<readonly ObservedRound[]>;
  /** Forgets the windows that ended before `at`. */
  forgetBefore(at: string): Promise<void>;
}

const ROUNDS = `
  select known.terms, asked.round, asked.beacon, asked.beacon_source as source, asked.answer,
         coalesce(seen.receipts, '[]') as receipts, coalesce(seen.findings, '[]') as findings
    from engine.observed_terms known
    join engine.observed_rounds asked using (terms_hash)
    left join lateral (
      select jsonb_agg(one.receipt order by one.observer) as receipts,
             jsonb_agg(one.finding order by one.observer) as findings
        from engine.observations one
       where one.terms_hash = asked.terms_hash and one.round = asked.round
    ) seen on true`;

export const createObservations = (pool: Pool): Observations => ({
  async keepTerms({ stream }, all) {
    for (const terms of all) {
      await pool.query(
        `insert into engine.observed_terms (terms_hash, window_id, provider_id, starts_at, ends_at, terms)
         values ($1, $2, $3, $4, $5, $6) on conflict (terms_hash) do nothing`,
        [
          hashOfJson(terms),
          stream,
          terms.providerId,
          terms.from,
          roundStart(terms, terms.rounds),
          JSON.stringify(terms),
        ],
      );
    }
  },

  async keepRound(terms, round, { size, root, source }) {
    await pool.query(
      `insert into engine.observed_rounds (terms_hash, round, beacon, beacon_source)
       values ($1, $2, $3, $4) on conflict (terms_hash, round) do nothing`,
      [hashOfJson(terms), round, JSON.stringify({ size, root }), source],
    );
  },

  async roundsBefore({ stream }, round) {
    const { rows } = await pool.query<{ begun: number }>(
      `select count(distinct round)::integer as begun from engine.observed_rounds
         join engine.observed_terms using (terms_hash) where window_id = $1 and round < $2`,
      [stream, round],
    );
    return rows[0]?.begun ?? 0;
  },

  async keepAnswer(terms, round, answer) {
    const { rows } = await pool.query<{ answer: Answer }>(
      `update engine.observed_rounds set answer = coalesce(answer, $3::jsonb)
        where terms_hash = $1 and round = $2 returning answer`,
      [hashOfJson(terms), round, JSON.stringify(answer)],
    );
    const [row] = rows;
    if (!row) throw new Error(`an answer to round ${round}, which nobody asked for`);
    return row.answer;
  },

  async keepReceipt(terms, round, { receipt, finding, receivedAt }) {
    await pool.query(
      `insert into engine.observations (terms_hash, round, observer, finding, receipt, received_at)
       values ($1, $2, $3, $4, $5, $6) on conflict (terms_hash, round, observer) do nothing`,
      [hashOfJson(terms), round, receipt.observer, finding, JSON.stringify(receipt), receivedAt],
    );
  },

  async unfinished(since) {
    const { rows } = await pool.query<ObservedRound>(
      `${ROUNDS} where known.ends_at > $1
          and jsonb_array_length(coalesce(seen.receipts, '[]')) < jsonb_array_length(known.terms->'observers')
        order by known.starts_at desc, asked.round desc, known.provider_id`,
      [since],
    );
    return rows;
  },

  async ofProvider(providerId, at) {
    const { rows } = await pool.query<ObservedRound>(
      `${ROUNDS} where known.provider_id = $1 and known.ends_at <= $2
        order by known.starts_at desc, known.terms_hash, asked.round`,
      [providerId, at],
    );
    return rows;
  },

  async newestOf(providerId, limit) {
    const { rows } = await pool.query<ObservedRound>(
      `${ROUNDS} where known.provider_id = $1
        order by known.starts_at desc, asked.round desc, known.terms_hash limit $2`,
      [providerId, limit],
    );
    return rows;
  },

  async forgetBefore(at) {
    await pool.query('delete from engine.observed_terms where ends_at < $1', [at]);
  },
});
