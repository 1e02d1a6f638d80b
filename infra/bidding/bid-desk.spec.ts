import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { reject } from '../../domain/errors.ts';
import { toMicro } from '../../domain/money.ts';
import type { Command, CommandMeta, CommandOutcome } from '../../domain/ports/lifecycles.ts';
import { DEFAULT_T_REF, MINIMUM_STAKE } from '../../domain/tiers.ts';
import { SealingKeyMissing } from '../keys/sealing.ts';
import { type AuctionTerms, type Bidder, createBidDesk } from './bid-desk.ts';
import { bidIdOf } from './bid-id.ts';
import { sealContext } from './seal-context.ts';

const AUCTION = `auction-${'1'.repeat(26)}`;
const terms: AuctionTerms = {
  submitter: 'subject-1',
  ceiling: toMicro('1000'),
  winners: 3,
  requiredTops: 500,
  state: 'open',
  closesAt: '2026-01-01T00:05:00.000Z',
};
const bidder: Bidder = {
  providerId: `provider-${'2'.repeat(26)}`,
  owner: 'subject-2',
  tops: 500,
  listed: true,
  bonded: MINIMUM_STAKE,
};
const meta: CommandMeta = {
  commandId: 'command-1',
  actor: 'subject-2',
  correlationId: AUCTION,
  causationId: 'command-1',
  traceparent: null,
};

let sent: { stream: string; command: Command; meta: CommandMeta }[];
let boxes: Map<string, { plaintext: string; context: string; keyId: string }>;
let auction: AuctionTerms | null;
let provider: Bidder | null;
let outcome: CommandOutcome;
/** Made by the first bid that finds none. */
let keysMade: string[];
let keyGone: boolean;
let asked: object[];

beforeEach(() => {
  sent = [];
  boxes = new Map();
  auction = terms;
  provider = bidder;
  outcome = { ok: true, position: '9', revision: '3', state: 'open' };
  keyGone = false;
  keysMade = [];
  asked = [];
});

const desk = createBidDesk({
  tRef: DEFAULT_T_REF,
  lifecycles: {
    execute: async (stream, command, given) => {
      sent.push({ stream, command, meta: given });
      return outcome;
    },
  },
  sealing: {
    createKey: async (keyId) => void keysMade.push(keyId),
    seal: async (keyId, plaintext, context) => {
      if (keyGone || !keysMade.includes(keyId)) throw new SealingKeyMissing(keyId);
      const box = `box-${boxes.size}`;
      boxes.set(box, { keyId, plaintext, context });
      return box;
    },
  },
  auctionView: async (id) => (id === AUCTION ? auction : null),
  providerView: async (ref) => {
    asked.push(ref);
    return provider;
  },
  admits: (each) =>
    each.providerId.endsWith('LOW') ? reject('AUTHORIZATION_FAILED', 'trust too low') : null,
});

const place = (
  price: string,
  ref: { providerId: string; owner?: string } | { owner: string } = { providerId: bidder.providerId },
) => desk.placeBid({ auctionId: AUCTION, price, meta, ...ref });

describe('bid desk', () => {
  it('seals price and nonce under the auction, bound to the bid, and sends ciphertext alone', async () => {
    const bidId = bidIdOf(AUCTION, bidder.providerId);
    expect(await place('777')).toEqual({ ok: true, bidId, position: '9', revision: '3', state: 'open' });
    const command = {
      type: 'place-bid',
      bidId,
      providerId: bidder.providerId,
      owner: bidder.owner,
      sealed: 'box-0',
    };
    expect(sent).toEqual([{ stream: AUCTION, command, meta }]);
    const box = boxes.get('box-0');
    expect(box).toMatchObject({ keyId: AUCTION, context: sealContext(AUCTION, bidId) });
    expect(JSON.parse(box?.plaintext ?? '')).toEqual({
      price: '777',
      nonce: expect.stringMatching(/^[0-9a-f]{61}$/),
    });
  });

  it('has the key of an auction made by its first bid alone', async () => {
    await place('777');
    await place('778');
    expect(keysMade).toEqual([AUCTION]);
  });

  it('makes every box of one length and no two alike', async () => {
    auction = { ...terms, ceiling: toMicro('9'.repeat(30)) };
    await fc.assert(
      fc.asyncProperty(fc.bigInt({ min: 0n, max: 10n ** 30n - 1n }), async (price) => {
        await place(String(price));
        await place(String(price));
      }),
      { numRuns: 50 },
    );
    const plaintexts = [...boxes.values()].map((box) => box.plaintext);
    expect(new Set(plaintexts.map((text) => text.length)).size).toBe(1);
    expect(new Set(plaintexts).size).toBe(plaintexts.length);
  });

  it('finds the provider of an owner, or checks that the named one is theirs', async () => {
    expect(await place('1', { owner: 'subject-2' })).toMatchObject({ ok: true });
    expect(await place('1', { providerId: bidder.providerId, owner: 'subject-2' })).toMatchObject({
      ok: true,
    });
    expect(await place('1', { providerId: bidder.providerId, owner: 'subject-3' })).toMatchObject({
      code: 'AUTHORIZATION_FAILED',
    });
    expect(asked[0]).toEqual({ owner: 'subject-2' });
    expect(asked[1]).toEqual({ providerId: bidder.providerId });
  });

  it('settled 42: takes no bid of a provider that has not staked what its capacity takes, and says what does', async () => {
    const asTops = (tops: number, bonded: string): Bidder => ({ ...bidder, tops, bonded: toMicro(bonded) });
    for (const [tops, bonded] of [
      [500, '0'],
      [500, '99999'],
      [6000, '666666'],
    ] as const) {
      provider = asTops(tops, bonded);
      expect(await place('1')).toMatchObject({
        code: 'INSUFFICIENT_BALANCE',
        errors: [{ field: 'stake', rule: expect.stringContaining(`${bonded} is staked`) as string }],
      });
    }
    expect(sent).toEqual([]);
    for (const [tops, bonded] of [
      [500, '100000'],
      [6000, '666667'],
    ] as const) {
      provider = asTops(tops, bonded);
      expect(await place('1')).toMatchObject({ ok: true });
    }
  });

  it('takes the ceiling itself', async () => {
    expect(await place('1000')).toMatchObject({ ok: true });
  });

  const refusals: [string, () => void, string, object][] = [
    ['above the ceiling', () => undefined, '1001', { code: 'INVALID_REQUEST', errors: [{ field: 'price' }] }],
    ['no integer', () => undefined, '1.5', { code: 'INVALID_REQUEST', errors: [{ field: 'price' }] }],
    ['negative', () => undefined, '-1', { code: 'INVALID_REQUEST', errors: [{ field: 'price' }] }],
    ['unknown auction', () => (auction = null), '1', { code: 'RESOURCE_NOT_FOUND' }],
    ['unknown provider', () => (provider = null), '1', { code: 'AUTHORIZATION_FAILED' }],
    [
      'own auction',
      () => (provider = { ...bidder, owner: 'subject-1' }),
      '1',
      { code: 'AUTHORIZATION_FAILED' },
    ],
    ['not attested', () => (provider = { ...bidder, listed: false }), '1', { code: 'AUTHORIZATION_FAILED' }],
    [
      'low trust',
      () => (provider = { ...bidder, providerId: 'provider-LOW' }),
      '1',
      { code: 'AUTHORIZATION_FAILED', message: 'trust too low' },
    ],
    [
      'too small',
      () => (provider = { ...bidder, tops: 499 }),
      '1',
      { code: 'INVALID_REQUEST', errors: [{ field: 'auction_id' }] },
    ],
    ['closed', () => (auction = { ...terms, state: 'settled' }), '1', { code: 'AUCTION_EXPIRED' }],
    ['closed meanwhile', () => (keyGone = true), '1', { code: 'AUCTION_EXPIRED' }],
  ];
  it.each(refusals)('refuses: %s', async (_name, arrange, price, refusal) => {
    arrange();
    expect(await place(price)).toMatchObject({ ok: false, ...refusal });
    expect(sent).toEqual([]);
  });

  it('passes on what the auction refuses', async () => {
    outcome = reject('CONFLICT', 'one active bid per owner');
    expect(await place('1')).toEqual(outcome);
  });

  it('invariant 10: no answer and no command tells the price', async () => {
    auction = { ...terms, ceiling: toMicro('5000000000') };
    const prices = fc.bigInt({ min: 100_000n, max: 10n ** 10n }).map((price) => toMicro(price));
    await fc.assert(
      fc.asyncProperty(prices, async (price) => {
        const answer = await place(price);
        expect(JSON.stringify(answer)).not.toContain(price);
        expect(JSON.stringify(sent)).not.toContain(price);
      }),
      { numRuns: 50 },
    );
  });
});
