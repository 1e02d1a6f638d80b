import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { BidVerdict, OpenedBid } from '../../domain/auction/events.ts';
import { chargeFor } from '../../domain/enclave/rent.ts';
import { toMicro } from '../../domain/money.ts';
import type { ExecutionProof } from '../../domain/proof/record.ts';
import { createPool } from '../../infra/postgres/pool.ts';
import { expectProblem, sha256Of } from '../support/rest.ts';
import { rowsThatTell, tells } from '../support/traces.ts';
import { type GuestNode, startGuestNode } from './support/guest-node.ts';
import { endOf, type JobBody } from './support/jobs.ts';
import { awardByBruteForce } from './support/market.ts';
import {
  type Caller,
  enrol,
  type KeyHolder,
  keyHolder,
  nodeKey,
  signIn,
  signInOperator,
} from './support/principals.ts';
import { type SharedStack, serversOf, sharedStack } from './support/shared-stack.ts';
import { type Listener, listen } from './support/socket.ts';
import { type Account, accountOf, eventsOf } from './support/views.ts';

const LOCAL_NODES = ['aws', 'azure', 'datacenter', 'edge', 'gcp', 'hybrid'];
const CEILING = 888_889n;
/** One percent of three ceilings. */
const OPENING_FEE = 26_667n;
/** Of a place that counts as 1,000 TOPS, an hour by the list, and 120 s of it for three winners. */
const RESERVED = { hourly: toMicro('1111111'), held: toMicro('37038') };
const RESERVATION = 3n * 37_038n;
const QUOTE = { tier: 'gold', required_tops: 500, utilization: 0.8, duration_seconds: 7200 } as const;
/** Long enough for seven bids and every look at the open auction. */
const AUCTION_SECONDS = 20;
/** Digits that stand nowhere else. */
const GUEST_PRICE = '104729';
const WORD_COUNT = new URL('../../infra/workloads/word-count.wasm', import.meta.url);
const INPUT = new TextEncoder().encode('one two three\nfour five\n');
const OUTPUT = 'words: 5\n';

let stack: SharedStack;
let operator: Caller;
let guestKey: KeyHolder;
/** May submit and provide; its node does what it won, but bids over HTTP alone. */
let guest: Caller;
let stranger: Caller;
let guestNode: GuestNode;
/** The owners of all seven nodes, each signed in with its own key. */
let owners: readonly Caller[];
/** Of the operator, of a bidder and of somebody who has nothing to do with it. */
let listener: Listener;
let bidder: Listener;
let outsider: Listener;
let wasm: Uint8Array<ArrayBuffer>;

beforeAll(async () => {
  stack = await sharedStack();
  operator = await signInOperator(stack);
  guestKey = keyHolder();
  await enrol(operator, guestKey, ['submitter', 'provider']);
  guest = await signIn(stack, guestKey);
  const strangerKey = keyHolder();
  await enrol(operator, strangerKey, ['submitter']);
  const credit = { account_id: guest.id, amount: '10000000', reference: `guest-${guest.id}` };
  expect(await operator.rest.post('/v1/ledger/credit', credit)).toMatchObject({ status: 201 });
  wasm = new Uint8Array(await readFile(WORD_COUNT));
  expect(await operator.rest.store(wasm, 'application/wasm')).toMatchObject({ status: 200 });
  expect(await operator.rest.store(INPUT)).toMatchObject({ status: 200 });
  guestNode = await startGuestNode(stack, 'guest', guestKey, guest);
  const keys = await Promise.all(LOCAL_NODES.map((name) => nodeKey(stack, name)));
  owners = [guest, ...(await Promise.all(keys.map((key) => signIn(stack, key))))];
  stranger = await signIn(stack, strangerKey);
  const topics = ['auction_updates', 'realtime_auction'];
  listener = await listen(stack, operator, [...topics, 'realtime_ledger']);
  bidder = await listen(stack, guest, topics);
  outsider = await listen(stack, stranger, topics);
});
afterAll(async () => {
  for (const each of [listener, bidder, outsider]) each?.close();
  await guestNode?.stop();
});

const submitBy = (auctionId: string) =>
  operator.rest.post<{ job_id: string }>('/v1/fog/scheduler/submit', {
    auction_id: auctionId,
    code_hash: sha256Of(wasm),
    input_ref: sha256Of(INPUT),
    allow_simulated: true,
  });

interface AuctionBody {
  readonly state: string;
  readonly bids: { readonly count: number };
}

const openAuction = async (caller: Caller, body: object, quote: object = QUOTE): Promise<string> => {
  const quoted = await caller.rest.post<{ quote_id: string }>('/v1/fog/pricing/quote', quote);
  const opened = await caller.rest.post<{ auction_id: string }>('/v1/fog/pricing/auction', {
    quote_id: quoted.body.quote_id,
    ...body,
  });
  expect(opened).toMatchObject({ status: 201 });
  return opened.body.auction_id;
};

describe('from an auction by hand to the settled job', () => {
  let auctionId: string;
  let openedAt: string;
  let operatorBefore: Account;
  let accountsBefore: readonly Account[];
  let winners: readonly { provider_id: string; owner: string; payment: string }[];
  let job: JobBody;

  test('R70, settled 36: while the auction is open everybody counts the bids of mesh and HTTP, and nobody knows a price', async () => {
    operatorBefore = await accountOf(operator);
    accountsBefore = await Promise.all(owners.map((owner) => accountOf(owner)));
    const { body: quote } = await operator.rest.post<{ quote_id: string }>('/v1/fog/pricing/quote', QUOTE);
    const opened = await operator.rest.post<{ auction_id: string }>('/v1/fog/pricing/auction', {
      quote_id: quote.quote_id,
      auction_seconds: AUCTION_SECONDS,
    });
    expect(opened).toMatchObject({
      status: 201,
      body: {
        state: 'open',
        ceiling: '888889',
        k: 3,
        min_bidders: 4,
        escrow: '2666667',
        opening_fee: String(OPENING_FEE),
        reservation: String(RESERVATION),
        deposit: '888889',
      },
    });
    auctionId = opened.body.auction_id;
    openedAt = (await eventsOf(operator, `stream=${auctionId}`))[0]?.position as string;
    expect(await accountOf(operator)).toMatchObject({
      available: String(BigInt(operatorBefore.available) - 3n * CEILING - OPENING_FEE - RESERVATION),
      escrow: String(BigInt(operatorBefore.escrow) + 3n * CEILING),
      total: '0',
    });

    const bid = (caller: Caller, price: string) =>
      caller.rest.post<{ deposit: string }>('/v1/fog/pricing/bid', { auction_id: auctionId, price });
    expectProblem(await bid(guest, String(CEILING + 1n)), {
      status: 422,
      code: 'INVALID_REQUEST',
      errors: [{ field: 'price', rule: 'at most the ceiling of the auction' }],
    });
    expect(await bid(guest, GUEST_PRICE)).toMatchObject({ status: 201, body: { deposit: '888889' } });

    const isOf = ({ auction_id, stream }: Listener['frames'][number]['data']) =>
      auction_id === auctionId || stream === auctionId;
    const look = async (viewer: Caller, after = '0') =>
      (await viewer.rest.get<AuctionBody>(`/v1/fog/pricing/auctions/${auctionId}?after=${after}`)).body;
    const placed = async () => (await look(operator)).bids.count;
    await expect.poll(placed, { timeout: AUCTION_SECONDS * 1000, interval: 50 }).toBe(owners.length);
    for (const owner of owners) {
      expectProblem(await bid(owner, '1'), {
        status: 409,
        code: 'CONFLICT',
        errors: [{ field: 'auction_id', rule: 'one active bid per owner' }],
      });
    }

    const bids = (await eventsOf(operator, `stream=${auctionId}`)).filter(
      ({ type }) => type === 'auction.bid-placed',
    );
    expect(new Set(bids.map(({ data }) => data['owner']))).toEqual(new Set(owners.map(({ id }) => id)));
    expect(new Set(bids.map(({ data }) => (data['sealed'] as string).length)).size).toBe(1);
    const last = bids.at(-1)?.position as string;

    // Who has no office sees that bids came and when; a bidder its own one too.
    for (const viewer of [stranger, operator, ...owners]) {
      const body = await look(viewer, last);
      expect(body).toMatchObject({
        state: 'open',
        winners: [],
        extended: false,
        bids: { count: owners.length, first_at: expect.any(String), last_at: expect.any(String) },
      });
      expect(body).not.toHaveProperty('stats');
      expect(JSON.stringify(body)).not.toMatch(/bid-|provider-|sealed/);
    }
    for (const owner of owners) {
      const own = (await eventsOf(owner, `from=${openedAt}`)).filter(({ stream }) => stream === auctionId);
      expect(own.map(({ type, data }) => [type, data['owner']])).toEqual([['auction.bid-placed', owner.id]]);
      expect((await owner.rest.get(`/v1/events?stream=${auctionId}`)).status).toBe(404);
    }
    expect(await eventsOf(stranger, `from=${openedAt}`)).not.toContainEqual(
      expect.objectContaining({ stream: auctionId }),
    );

    // Whoever has been told of a later event has been told all there was to tell before.
    const note = { account_id: guest.id, amount: '1', reference: `note-${auctionId}` };
    const { body: noted } = await operator.rest.post<{ position: string }>('/v1/ledger/credit', note);
    await listener.heard(({ position }) => position === noted.position);
    for (const frames of [outsider.frames, bidder.frames, listener.frames]) {
      const heard = () => frames.filter(({ topic, data }) => topic === 'auction_updates' && isOf(data));
      await expect.poll(() => heard().length, { timeout: 10_000 }).toBe(1 + owners.length);
      expect(heard().at(-1)?.data).toEqual({
        auction_id: auctionId,
        event: 'auction.bid-placed',
        placed_at: bids.at(-1)?.data['placedAt'],
      });
    }
    const whole = ({ frames }: Listener) =>
      frames.filter(({ topic, data }) => topic === 'realtime_auction' && isOf(data));
    expect(whole(outsider)).toEqual([]);
    expect(whole(bidder)).toMatchObject([{ data: { actor: guest.id } }]);
    expect(whole(listener)).toHaveLength(1 + owners.length);

    for (const [index, owner] of owners.entries()) {
      const { available, deposits } = accountsBefore[index] as Account;
      const gift = owner === guest ? 1n : 0n;
      for (const viewer of [owner, operator]) {
        expect(await accountOf(owner, viewer)).toMatchObject({
          available: String(BigInt(available) + gift - CEILING),
          deposits: String(BigInt(deposits) + CEILING),
        });
      }
    }
    expect((await guest.rest.get(`/v1/ledger/accounts/${operator.id}`)).status).toBe(404);

    // The price is nowhere: not in a row, a frame, an event, a history, or a log file.
    for (const { frames } of [outsider, bidder, listener]) {
      expect(tells(JSON.stringify(frames), GUEST_PRICE)).toBe(false);
    }
    const servers = serversOf(stack.home);
    const pool = createPool(servers.databaseUrl, { name: 'test', max: 1 });
    try {
      expect(await rowsThatTell(pool, GUEST_PRICE)).toEqual([]);
    } finally {
      await pool.end();
    }
    const connection = await Connection.connect({ address: servers.temporalAddress });
    try {
      const history = await new Client({ connection }).workflow.getHandle(auctionId).fetchHistory();
      const text = JSON.stringify(history, (name, value) =>
        name === 'data' && typeof value === 'string' ? Buffer.from(value, 'base64').toString() : value,
      );
      expect(text.includes(guest.id)).toBe(true);
      expect(tells(text, GUEST_PRICE)).toBe(false);
    } finally {
      await connection.close();
    }
    const logs = join(stack.home, 'logs');
    for (const name of await readdir(logs)) {
      expect(tells(await readFile(join(logs, name), 'utf8'), GUEST_PRICE), name).toBe(false);
    }

    // And nothing waits for the close: the bids are in a signed head.
    const signed = async () =>
      BigInt((await guest.rest.get<{ size: string }>('/v1/log/checkpoint')).body.size);
    await expect.poll(signed, { timeout: 10_000 }).toBeGreaterThanOrEqual(BigInt(noted.position));
    expectProblem(await submitBy(auctionId), {
      status: 409,
      code: 'CONFLICT',
      errors: [{ field: 'auction_id', rule: 'an auction with an award to take' }],
    });
    expect(
      (await operator.rest.get<{ state: string }>(`/v1/fog/pricing/auctions/${auctionId}`)).body.state,
    ).toBe('open');
  });

  test('R68, R69, R77: at the close the cheapest feasible set wins, at critical values; losers are refunded', async () => {
    const awarded = await listener.heard(
      ({ data }) => data.auction_id === auctionId && data.event === 'auction.awarded',
    );
    const { body } = await operator.rest.get<{
      state: string;
      winners: typeof winners;
      total: string;
      predicted_availability: number;
      stats: object;
    }>(`/v1/fog/pricing/auctions/${auctionId}?after=${awarded.position}`);
    expect(body).toMatchObject({ state: 'awarded', stats: { count: 7, unique: 7, min: GUEST_PRICE } });
    ({ winners } = body);

    const events = await eventsOf(operator, `stream=${auctionId}`);
    const dataOf = (type: string) => events.find((event) => event.type === type)?.data;
    const bids = dataOf('auction.bids-opened')?.['bids'] as OpenedBid[];
    const verdicts = dataOf('auction.awarded')?.['verdicts'] as BidVerdict[];
    const held = new Set(
      verdicts.filter(({ reason }) => reason.startsWith('probation')).map(({ bidId }) => bidId),
    );
    const award = await awardByBruteForce(
      operator.rest,
      'gold',
      3,
      bids.filter(({ bidId }) => !held.has(bidId)),
      CEILING,
    );
    expect(new Map(winners.map(({ provider_id, payment }) => [provider_id, BigInt(payment)]))).toEqual(
      award.payments,
    );
    for (const { providerId, price } of award.members) {
      const payment = award.payments.get(providerId) as bigint;
      expect(payment).toBeGreaterThanOrEqual(BigInt(price));
      expect(payment).toBeLessThanOrEqual(CEILING);
    }
    expect(body.total).toBe(String([...award.payments.values()].reduce((sum, each) => sum + each, 0n)));
    expect(body.predicted_availability).toBeGreaterThanOrEqual(0.999);
    expect(verdicts.map(({ state }) => state).sort()).toEqual([
      ...Array.from({ length: 4 }, () => 'lost'),
      ...Array.from({ length: 3 }, () => 'won'),
    ]);

    const won = new Set(winners.map(({ owner }) => owner));
    for (const [index, owner] of owners.entries()) {
      const { deposits } = accountsBefore[index] as Account;
      const expected = BigInt(deposits) + (won.has(owner.id) ? CEILING : 0n);
      expect((await accountOf(owner)).deposits).toBe(String(expected));
    }
  });

  test('R65: a bid after the close is late', async () => {
    expectProblem(await guest.rest.post('/v1/fog/pricing/bid', { auction_id: auctionId, price: '1' }), {
      status: 409,
      code: 'AUCTION_EXPIRED',
      errors: [{ field: 'auction_id', rule: 'an auction that is open' }],
    });
  });

  test('a job takes the award, runs on every winner and settles', async () => {
    const submitted = await submitBy(auctionId);
    expect(submitted).toMatchObject({ status: 202, body: { auction_id: auctionId } });
    expect(submitted.body.job_id.slice('job-'.length)).toBe(auctionId.slice('auction-'.length));
    job = await endOf(operator.rest, submitted.body.job_id);
    expect(job).toMatchObject({
      state: 'settled',
      progress: 1,
      degraded: false,
      failed_members: [],
      outcome: 'exited',
      exit_code: 0,
      output_sha256: sha256Of(new TextEncoder().encode(OUTPUT)),
      sla: { verdict: 'met', credit_percent: 0 },
    });
    expect(new TextDecoder().decode(await operator.rest.download(job.output_sha256 as string))).toBe(OUTPUT);
    expect(
      job.members.map(({ node_id, payment_micro, paid_micro, label, accepted, output_sha256 }) => ({
        node_id,
        payment_micro,
        paid_micro,
        label,
        accepted,
        output_sha256,
      })),
    ).toEqual(
      expect.arrayContaining(
        winners.map(({ provider_id, payment }) => ({
          node_id: provider_id,
          payment_micro: payment,
          // Counting words takes little of the declared work: what is owed is the least (settled 45).
          paid_micro: String((BigInt(payment) + 19n) / 20n),
          label: 'simulated',
          accepted: true,
          output_sha256: job.output_sha256,
        })),
      ),
    );
    expect(job.members).toHaveLength(3);
  });

  test('the quorum was diverse and available enough, and validate agrees', async () => {
    const { body } = await operator.rest.get(
      `/v1/fog/quorum/status?quorum_id=${job.quorum_id}&after=${job.position}`,
    );
    expect(body).toMatchObject({
      job_id: job.job_id,
      epoch: 1,
      target: 0.999,
      required_up: 2,
      diversity: { owner: 3, type: 3, asn: 3, region: 3 },
      violations: [],
      lost: [],
    });
    const members = job.members.map(({ node_id }) => node_id);
    const asked = await operator.rest.post<{ predicted_availability: number }>('/v1/fog/quorum/validate', {
      tier: 'gold',
      proposed_providers: members,
    });
    expect(asked).toMatchObject({ status: 200, body: { valid: true, meets_tier: true, violations: [] } });
    expect(asked.body.predicted_availability).toBeGreaterThanOrEqual(0.999);
    const two = await operator.rest.post('/v1/fog/quorum/validate', {
      tier: 'gold',
      proposed_providers: members.slice(0, 2),
    });
    expect(two).toMatchObject({
      status: 200,
      body: {
        meets_tier: false,
        violations: expect.arrayContaining([expect.objectContaining({ have: 2, need: 3 })]),
      },
    });
  });

  test('every member had an enclave of its own, attested step by step and destroyed after the work', async () => {
    for (const { enclave_id, node_id } of job.members) {
      const status = `/v1/fog/tee/status?enclave_id=${enclave_id}&after=${job.position}`;
      const shown = () => operator.rest.get<{ state: string; steps: { ok: boolean }[] }>(status);
      // A job does not wait for its enclaves to be gone before it pays.
      await expect.poll(async () => (await shown()).body.state, { timeout: 10_000 }).toBe('terminated');
      const { body } = await shown();
      expect(body).toMatchObject({
        provider_id: node_id,
        job_id: job.job_id,
        label: 'simulated',
        code_hash: job.code_hash,
        destroyed: true,
        fault: null,
      });
      expect(body.steps.length).toBeGreaterThan(5);
      expect(body.steps.filter(({ ok }) => !ok)).toEqual([]);
    }
    const { body: runtime } = await operator.rest.get<{ platforms: { type: string }[] }>(
      '/v1/fog/tee/status',
    );
    expect(runtime.platforms).toContainEqual({ type: 'amd_sev_snp', available: true, label: 'simulated' });
  });

  describe('its proof', () => {
    interface Verdict {
      readonly valid: boolean;
      readonly reason?: string;
      readonly details: { readonly signature_valid: boolean; readonly logged: boolean };
      readonly steps: readonly { readonly step: string; readonly ok: boolean }[];
    }
    const verify = async (body: object): Promise<Verdict> => {
      const answer = await operator.rest.post<Verdict>('/v1/fog/proofs/verify', body);
      expect(answer.status).toBe(200);
      return answer.body;
    };
    const proofOf = async (proofId: string): Promise<ExecutionProof> =>
      (await eventsOf(operator, `stream=${proofId}`))[0]?.data['proof'] as ExecutionProof;

    test('R18: verifies by id and by value, every step of it', async () => {
      for (const proofId of job.proofs) {
        const proof = await proofOf(proofId);
        for (const body of [{ proof_id: proofId }, { proof }]) {
          const verdict = await verify({ ...body, expected_input_hash: job.input_sha256 });
          expect(verdict).toMatchObject({
            valid: true,
            label: 'simulated',
            // Anchored is another answer: the chain may have come to it already, and nothing waits for it.
            details: { signature_valid: true, input_hash_matches: true, logged: true },
          });
          expect(verdict.steps.length).toBeGreaterThan(5);
          expect(verdict.steps.filter(({ ok }) => !ok)).toEqual([]);
        }
        expect(proof.record).toMatchObject({
          jobId: job.job_id,
          moduleHash: job.code_hash,
          inputHash: job.input_sha256,
          outputHash: job.output_sha256,
          outcome: 'exited',
          exitCode: 0,
        });
      }
    });

    test('R18: the same id with an altered body is invalid, with the reason', async () => {
      const proof = await proofOf(job.proof_id as string);
      const altered: [string, object][] = [
        ['record', { ...proof, record: { ...proof.record, exitCode: 1 } }],
        ['output', { ...proof, record: { ...proof.record, outputHash: '0'.repeat(64) } }],
        ['signature', { ...proof, signature: `${proof.signature.slice(0, -4)}AAAA` }],
        ['key', { ...proof, enclaveKey: '0'.repeat(64) }],
        ['nonce', { ...proof, attestation: { ...proof.attestation, nonce: '0'.repeat(64) } }],
      ];
      for (const [name, body] of altered) {
        const verdict = await verify({ proof: body });
        expect(verdict, name).toMatchObject({ valid: false, details: { logged: false } });
        const broken = verdict.steps.find(({ ok }) => !ok);
        expect(verdict.reason, name).toContain(broken?.step);
      }
      expect(await verify({ proof, expected_input_hash: '0'.repeat(64) })).toMatchObject({ valid: false });
      expect(await verify({ proof, allow_simulated: false })).toMatchObject({ valid: false });
    });

    test('R42, R44: its provider may have it entered again; unsigned evidence is refused', async () => {
      const mine = job.members.find(({ owner }) => owner === guest.id);
      const evidence = await proofOf(mine?.proof_id as string);
      const generate = (body: object) =>
        guest.rest.post('/v1/fog/proofs/generate', { proof_type: 'proof_of_execution', evidence, ...body });
      expect(await generate({ task_id: job.job_id })).toMatchObject({
        status: 201,
        body: { proof_id: mine?.proof_id, logged: true, label: 'simulated' },
      });
      expect(await eventsOf(operator, `stream=${mine?.proof_id}`)).toHaveLength(1);
      expectProblem(
        await generate({ evidence: { ...evidence, signature: `${evidence.signature.slice(0, -4)}AAAA` } }),
        {
          status: 422,
          code: 'PROOF_VERIFICATION_FAILED',
        },
      );
      expectProblem(await generate({ proof_type: 'proof_of_faith' }), {
        status: 422,
        code: 'UNSUPPORTED_PROOF_TYPE',
        errors: [
          {
            field: 'proof_type',
            rule: 'one of proof_of_execution, proof_of_availability, proof_of_sla_compliance',
          },
        ],
      });
    });
  });

  test('R87, R92: each member has earned trust by its proof, and reading it changes nothing', async () => {
    for (const { node_id, proof_id } of job.members) {
      const evidence = (await eventsOf(operator, `stream=${node_id}`)).filter(
        ({ type, data }) => type === 'provider.evidence-recorded' && data['evidenceId'] === proof_id,
      );
      expect(evidence).toHaveLength(1);
      const score = () =>
        operator.rest.get<{ alpha: number; beta: number }>(
          `/v1/fog/reputation/score?entity_id=${node_id}&after=${job.position}`,
        );
      const first = await score();
      expect(first.status).toBe(200);
      const { alpha, beta } = first.body;
      expect(alpha).toBeGreaterThan(1);
      expect(first.body).toMatchObject({
        mean: alpha / (alpha + beta),
        uncertainty: 2 / (alpha + beta),
        flagged: 2 / (alpha + beta) > 0.2,
      });
      expect((await score()).body).toEqual(first.body);
    }
  });

  test('R63, settled 41: the winners are paid, the rest of the escrow returns but not the fee, nothing is left held, and the ledger sums to zero', async () => {
    const paid = job.members.reduce((sum, { paid_micro }) => sum + BigInt(paid_micro as string), 0n);
    expect(job.price_micro).toBe(String(paid));
    expect(job.settlement).toEqual({
      price: String(paid),
      refund: String(3n * CEILING - paid),
      sla_credit: '0',
    });
    const auction = await eventsOf(operator, `stream=${auctionId}`);
    const timeOf = (type: string, name: string): string =>
      auction.find((event) => event.type === type)?.data[name] as string;
    // What each winner got for the time until the job took the award.
    const waited = BigInt(
      chargeFor(
        RESERVED,
        timeOf('auction.closed', 'closedAt'),
        timeOf('auction.allocated', 'allocatedAt'),
        0,
      ),
    );
    expect(waited).toBeGreaterThan(0n);
    expect(await accountOf(operator)).toMatchObject({
      available: String(BigInt(operatorBefore.available) - paid - OPENING_FEE - 3n * waited),
      escrow: operatorBefore.escrow,
      total: '0',
    });
    for (const [index, owner] of owners.entries()) {
      const before = accountsBefore[index] as Account;
      const member = job.members.find((each) => each.owner === owner.id);
      const after = await accountOf(owner);
      if (owner !== guest) {
        expect(after).toMatchObject({
          available: String(
            BigInt(before.available) + (member ? BigInt(member.paid_micro as string) + waited : 0n),
          ),
          deposits: before.deposits,
        });
      }
      expect(after.total).toBe('0');
    }
  });

  test('the queue and the list of jobs show it', async () => {
    const { body } = await operator.rest.get<{ own: { items: { job_id: string }[] } }>(
      `/v1/fog/scheduler/queue?after=${job.position}`,
    );
    expect(body.own.items.find(({ job_id }) => job_id === job.job_id)).toMatchObject({
      state: 'settled',
      tier: 'gold',
      price_micro: job.price_micro,
    });
  });

  test('the Temporal server tells the same story: same workflows, runs and states', async () => {
    const streams = [
      { id: job.job_id, state: job.state },
      { id: auctionId, state: 'allocated' },
      { id: job.quorum_id as string, state: 'dissolved' },
      ...job.members.map(({ enclave_id }) => ({ id: enclave_id as string, state: 'terminated' })),
    ];
    const shown = await Promise.all([
      operator.rest.get<{ state: string }>(`/v1/fog/pricing/auctions/${auctionId}`),
      operator.rest.get<{ state: string }>(`/v1/fog/quorum/status?quorum_id=${job.quorum_id}`),
    ]);
    expect(shown.map(({ body }) => body.state)).toEqual(['allocated', 'dissolved']);

    const connection = await Connection.connect({ address: serversOf(stack.home).temporalAddress });
    try {
      const { workflow } = new Client({ connection });
      for (const { id, state } of streams) {
        const query = `WorkflowId = '${id}' and MachineState = '${state}'`;
        // The server's index follows its workflows within a moment.
        const listed = await vi.waitUntil(
          async () => {
            const found = await Array.fromAsync(workflow.list({ query }));
            return found.length > 0 && found;
          },
          { timeout: 10_000 },
        );
        expect(listed.map(({ workflowId }) => workflowId)).toEqual([id]);
        const events = await eventsOf(operator, `stream=${id}`);
        expect(events.length).toBeGreaterThan(0);
        for (const event of events) {
          expect(event).toMatchObject({ workflowId: id, runId: listed[0]?.runId });
        }
        if (id !== job.job_id) continue;
        expect(
          job.timeline.map(({ event, position, workflow_id, run_id }) => ({
            event,
            position,
            workflow_id,
            run_id,
          })),
        ).toEqual(
          events.map(({ type, position, workflowId, runId }) => ({
            event: type,
            position,
            workflow_id: workflowId,
            run_id: runId,
          })),
        );
      }
    } finally {
      await connection.close();
    }
  });
});

test('R66: with too few owners it is extended once, then fails; all but the fee is refunded, and no job can take it', async () => {
  const before = await Promise.all([operator, guest].map((caller) => accountOf(caller)));
  // No node works for so little; the guest, who does, is one owner of the three that are needed.
  const auctionId = await openAuction(
    operator,
    { auction_seconds: 1, max_bid: '100' },
    { ...QUOTE, tier: 'bronze', required_tops: 10 },
  );
  expect(await guest.rest.post('/v1/fog/pricing/bid', { auction_id: auctionId, price: '1' })).toMatchObject({
    status: 201,
    body: { deposit: '100' },
  });
  const failed = await listener.heard(
    ({ data }) => data.auction_id === auctionId && data.event === 'auction.failed',
  );
  expect(
    listener.frames.filter(({ data }) => data.auction_id === auctionId).map(({ data }) => data.event),
  ).toEqual(['auction.opened', 'auction.bid-placed', 'auction.extended', 'auction.failed']);
  const { body } = await operator.rest.get(`/v1/fog/pricing/auctions/${auctionId}?after=${failed.position}`);
  expect(body).toMatchObject({
    state: 'failed',
    extended: true,
    reason: 'AUCTION_NOT_ENOUGH_BIDS',
    winners: [],
  });
  expect(await Promise.all([operator, guest].map((caller) => accountOf(caller)))).toMatchObject(
    before.map(({ available, escrow, deposits }, index) => ({
      available: index === 0 ? String(BigInt(available) - 1n) : available,
      escrow,
      deposits,
    })),
  );
  expectProblem(await submitBy(auctionId), {
    status: 409,
    code: 'AUCTION_NOT_ENOUGH_BIDS',
    errors: [{ field: 'auction_id', rule: 'an auction with an award to take' }],
  });
});

test('R70: nobody bids on an auction of its own, or takes the award of another', async () => {
  const auctionId = await openAuction(
    guest,
    { auction_seconds: 1 },
    { ...QUOTE, tier: 'bronze', required_tops: 10 },
  );
  expectProblem(await guest.rest.post('/v1/fog/pricing/bid', { auction_id: auctionId, price: '1' }), {
    status: 403,
    code: 'AUTHORIZATION_FAILED',
    errors: [{ field: 'auction_id', rule: 'an auction of somebody else' }],
  });
  await listener.heard(({ data }) => data.auction_id === auctionId && data.event === 'auction.awarded');
  expectProblem(await submitBy(auctionId), {
    status: 404,
    code: 'RESOURCE_NOT_FOUND',
    errors: [{ field: 'auction_id', rule: 'an auction of yours' }],
  });
});
