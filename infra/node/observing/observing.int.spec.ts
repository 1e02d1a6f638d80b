import { bytesToHex } from '@noble/hashes/utils.js';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { NodeReplies } from '../../../domain/mesh/messages.ts';
import { availabilityProofFrom } from '../../../domain/observation/evidence.ts';
import type { AvailabilityTerms } from '../../../domain/proof/availability-record.ts';
import { chunkTree } from '../../../domain/proof/chunks.ts';
import { hashOfJson } from '../../../domain/proof/commit.ts';
import { addSeconds, epochMs, instant } from '../../../domain/time.ts';
import {
  equivocating,
  neighbourhood,
  type ObservingNode,
  type Scene,
  type SceneOptions,
} from '../../../test/support/neighbourhood.ts';
import { verifyAvailabilityProof } from '../../verify/index.ts';
import { headOf } from '../../verify/observed.fixture.ts';

const FROM = '2026-01-01T00:00:00.000Z';
const ARTIFACT = Uint8Array.from({ length: 10_000 }, (_, index) => (index * 31) % 251);

let nowMs: number;
let pauses: number;
const stops: (() => Promise<unknown>)[] = [];
beforeEach(() => {
  nowMs = epochMs(FROM) + 1000;
  pauses = 0;
});
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

type Node = ObservingNode;

/** Three neighbours, of which the first keeps `bytes`, and opens them by `opens`. */
const scene = async (
  bytes: Uint8Array | null = ARTIFACT,
  opens?: SceneOptions['opens'],
): Promise<Scene['nodes']> => {
  const { nodes, stop } = await neighbourhood({
    nowMs: () => nowMs,
    pauses: () => pauses,
    kept: (place) => ({ read: () => Promise.resolve(place === 0 ? bytes : null) }),
    ...(opens && { opens }),
  });
  stops.push(stop);
  return nodes;
};

const termsFor = ([provider, ...observers]: readonly Node[]): AvailabilityTerms => ({
  providerId: provider?.member.nodeId ?? '',
  providerKey: provider?.member.peer.publicKey ?? '',
  jobId: null,
  artifact: 'ab'.repeat(32),
  size: ARTIFACT.length,
  chunkBytes: 64,
  chunkRoot: bytesToHex(chunkTree(ARTIFACT, 64).root),
  chunksPerRound: 3,
  rounds: 2,
  from: FROM,
  everySeconds: 60,
  deadlineSeconds: 1,
  minimumShare: 1,
  observers: observers.map(({ member }) => ({ id: member.nodeId, key: member.peer.publicKey })),
  quorum: 2,
});

const look = async (
  { observing }: Node,
  terms: AvailabilityTerms,
  round = 0,
  agreed?: string,
): Promise<NodeReplies['observe']> => {
  const request = {
    type: 'observe',
    terms,
    round,
    beacon: headOf(round),
    ...(agreed && { agreed }),
  } as const;
  const reply = await observing.observe(request);
  if ('ok' in reply) throw new Error(reply.message);
  return reply;
};

/** What both observers see in two rounds, as a proof. */
const observed = async (nodes: Scene['nodes']) => {
  const terms = termsFor(nodes);
  const [provider, ...observers] = nodes;
  expect(provider.observing.expect(terms)).toEqual({ type: 'noted' });
  const findings: string[] = [];
  const rounds = [];
  for (const round of [0, 1]) {
    nowMs = epochMs(addSeconds(FROM, 60 * round)) + 1000;
    const seen = await Promise.all(observers.map((observer) => look(observer, terms, round)));
    findings.push(...seen.map(({ finding }) => finding));
    const answer = seen.find((each) => each.answer !== null)?.answer ?? null;
    rounds.push({ round, beacon: headOf(round), answer, receipts: seen.map(({ receipt }) => receipt) });
  }
  const proof = availabilityProofFrom(terms, rounds);
  const verdict = verifyAvailabilityProof(proof, { now: addSeconds(FROM, 120) });
  expect(verdict.reasons.filter(({ ok }) => !ok)).toEqual([]);
  return { findings, verdict: verdict.judgement?.verdict };
};

describe('a node that is observed by its neighbours', { timeout: 60_000 }, () => {
  it('is available while it opens what is drawn, in time', async () => {
    expect(await observed(await scene())).toEqual({
      findings: Array(4).fill('answered'),
      verdict: 'available',
    });
  });

  it('fails when its file is gone or another', async () => {
    for (const bytes of [null, ARTIFACT.slice(1), ARTIFACT.map((byte) => byte ^ 1)]) {
      expect(await observed(await scene(bytes))).toEqual({
        findings: Array(4).fill('wrong'),
        verdict: 'unavailable',
      });
    }
  });

  it('fails when it answers late, wrongly or not at all', async () => {
    const late = await scene(ARTIFACT, (honest) => async (request, observer) => {
      const opened = await honest(request, observer);
      nowMs += 1001;
      return opened;
    });
    expect(await observed(late)).toEqual({ findings: Array(4).fill('late'), verdict: 'unavailable' });

    const wrong = await scene(ARTIFACT, (honest) => async (request, observer) => {
      const opened = await honest(request, observer);
      if ('ok' in opened) return opened;
      const [first, ...others] = opened.answer.openings;
      const openings = [...others, ...(first ? [first] : [])];
      return { ...opened, answer: { ...opened.answer, openings } };
    });
    expect(await observed(wrong)).toEqual({ findings: Array(4).fill('wrong'), verdict: 'unavailable' });

    const mute = await scene(ARTIFACT, () => () => new Promise(() => undefined));
    expect(await observed(mute)).toEqual({ findings: Array(4).fill('silent'), verdict: 'unavailable' });
  });

  it('gains nothing by two valid answers to one challenge', async () => {
    const two = await scene(ARTIFACT, equivocating);
    const [provider, first, second] = two;
    const terms = termsFor(two);
    provider.observing.expect(terms);
    const [one, other] = [await look(first, terms), await look(second, terms)];
    expect([one.finding, other.finding]).toEqual(['answered', 'answered']);
    expect(other.answer).not.toEqual(one.answer);
    const agreed = hashOfJson(one.answer);
    expect(await look(first, terms, 0, agreed)).toEqual(one);
    expect(await look(second, terms, 0, agreed)).toMatchObject({
      finding: 'wrong',
      answer: null,
      receipt: { outcome: 'silent', answeredAt: null },
    });
  });
});

describe('an observer', { timeout: 60_000 }, () => {
  it('looks once, in the round alone, and says so when it could not look', async () => {
    const nodes = await scene();
    const [provider, observer] = nodes;
    const terms = termsFor(nodes);
    provider.observing.expect(terms);
    const first = await look(observer, terms);
    nowMs += 10_000;
    expect(await look(observer, terms)).toEqual(first);
    const unobserved = {
      finding: 'unobserved',
      answer: null,
      receipt: { outcome: 'unobserved', askedAt: null },
    };
    nowMs = epochMs(FROM) + 60_000;
    expect(await look(observer, { ...terms, jobId: 'job-1' })).toMatchObject(unobserved);
    nowMs = epochMs(FROM) - 1;
    expect(await look(observer, { ...terms, jobId: 'job-2' })).toMatchObject(unobserved);
    nowMs = epochMs(FROM);
    await provider.member.peer.stop();
    await vi.waitFor(() => expect(observer.neighbours.connected()).toHaveLength(1));
    expect(await look(observer, { ...terms, jobId: 'job-3' })).toMatchObject(unobserved);
  });

  it('holds its own sleep against nobody', async () => {
    const asleep = await scene(ARTIFACT, (honest) => async (request, observer) => {
      const opened = await honest(request, observer);
      nowMs += 20_000;
      pauses++;
      return opened;
    });
    expect(await observed(asleep)).toEqual({
      findings: Array(4).fill('unobserved'),
      verdict: 'not-yet-provable',
    });

    const mute = await scene(ARTIFACT, () => () => {
      pauses++;
      return new Promise(() => undefined);
    });
    expect(await observed(mute)).toMatchObject({ findings: Array(4).fill('unobserved') });

    // What was in time was in time, and what was wrong was wrong.
    const brief = await scene(ARTIFACT, (honest) => async (request, observer) => {
      pauses++;
      return honest(request, observer);
    });
    expect(await observed(brief)).toMatchObject({ verdict: 'available' });
    const gone = await scene(null, (honest) => async (request, observer) => {
      pauses++;
      return honest(request, observer);
    });
    expect(await observed(gone)).toMatchObject({ findings: Array(4).fill('wrong') });
  });

  it('does not sign on terms that do not name it', async () => {
    const nodes = await scene();
    const terms = { ...termsFor(nodes), observers: [] };
    const request = { type: 'observe', terms, round: 0, beacon: headOf(0) } as const;
    expect(await nodes[1].observing.observe(request)).toMatchObject({
      code: 'INVALID_REQUEST',
      errors: [{ field: 'terms.observers' }],
    });
  });
});

describe('a node opens chunks', { timeout: 60_000 }, () => {
  it('on terms that its engine named, for their observers, once a round and in it', async () => {
    const nodes = await scene();
    const [provider, observer] = nodes;
    const terms = termsFor(nodes);
    const key = observer.member.peer.publicKey;
    const ask = (change: object = {}, by = key) =>
      provider.observing.open({ type: 'open-chunks', terms, round: 0, beacon: headOf(0), ...change }, by);
    expect(await ask()).toMatchObject({ code: 'AUTHORIZATION_FAILED' });
    expect(provider.observing.expect({ ...terms, providerKey: key })).toMatchObject({
      code: 'INVALID_REQUEST',
      errors: [{ field: 'terms.providerKey' }],
    });
    provider.observing.expect(terms);
    expect(await ask({ terms: { ...terms, chunksPerRound: 64 } })).toMatchObject({
      code: 'AUTHORIZATION_FAILED',
    });
    expect(await ask({}, provider.member.peer.publicKey)).toMatchObject({ code: 'AUTHORIZATION_FAILED' });
    expect(await ask({ round: 2 })).toMatchObject({ code: 'CONFLICT' });
    const opened = await ask();
    expect(opened).toMatchObject({ type: 'chunks-opened' });
    expect(await ask()).toEqual(opened);
    expect(await ask({ beacon: headOf(1) })).toMatchObject({ code: 'CONFLICT' });
    nowMs = epochMs(instant(epochMs(FROM) + 121_000));
    expect(await ask()).toMatchObject({ code: 'CONFLICT' });
  });
});
