import { describe, expect, it } from 'vitest';
import { type NodeRequest, PROTOCOLS } from './messages.ts';
import {
  discoveryRequestSchema,
  engineReplySchemas,
  nodeReplySchemas,
  nodeRequestSchema,
  relayReplySchema,
  relayRequestSchema,
  workRequestSchema,
} from './schema.ts';

const enclaveId = `enclave-${'0'.repeat(26)}`;
const auctionId = `auction-${'0'.repeat(26)}`;
const hash = 'ab'.repeat(32);
const at = '2026-01-01T00:00:00.000Z';

const join = {
  type: 'join',
  at,
  infrastructureType: 'edge_devices',
  asn: 64_500,
  region: 'eu-west',
  tops: 500,
  platforms: ['amd_sev_snp'],
  stake: '1000000',
};
const bid = { type: 'bid', auctionId, price: '123456', signature: 'AAAA' };
const create: NodeRequest = {
  type: 'create-enclave',
  enclaveId,
  platform: 'amd_sev_snp',
  codeHash: hash,
  config: { memoryMb: 64, cpuCores: 1, allowDebug: false },
};

describe('mesh messages', () => {
  it('R99: go over the protocols of the guide, one among neighbours and one among workers', () => {
    expect(Object.values(PROTOCOLS).sort()).toEqual([
      '/aivillage/agent-communication/1.0.0',
      '/aivillage/knowledge-sync/1.0.0',
      '/aivillage/neighbourhood/1.0.0',
      '/aivillage/relay/1.0.0',
      '/aivillage/resource-discovery/1.0.0',
    ]);
  });

  it('among workers carry what a node may be asked, and what it may answer to that', () => {
    const relay = {
      type: 'relay',
      providerId: `provider-${'0'.repeat(26)}`,
      request: create,
      timeoutMs: 1000,
    };
    expect(relayRequestSchema.parse(relay)).toEqual(relay);
    expect(relayRequestSchema.safeParse({ ...relay, request: join }).success).toBe(false);
    const schema = relayReplySchema(create);
    const relayed = { type: 'relayed', reply: { type: 'enclave-created', enclaveKey: hash } };
    expect(schema.parse(relayed)).toEqual(relayed);
    expect(schema.safeParse({ type: 'relayed', reply: { type: 'destroyed' } }).success).toBe(false);
    const unreachable = { type: 'unreachable', message: 'silent', cause: 'node' };
    expect(schema.parse(unreachable)).toEqual(unreachable);
  });

  it('pass unchanged, with or without what is optional, and lose what is unknown', () => {
    expect(discoveryRequestSchema.parse({ ...join, later: true })).toEqual(join);
    expect(workRequestSchema.parse(bid)).toEqual(bid);
    expect(nodeRequestSchema.parse(create)).toEqual(create);
    expect(nodeRequestSchema.parse({ ...create, expiresAt: at })).toEqual({ ...create, expiresAt: at });
    const refusal = { type: 'refused', code: 'CONFLICT', message: 'twice' };
    for (const schema of [...Object.values(nodeReplySchemas), ...Object.values(engineReplySchemas)]) {
      expect(schema.parse(refusal)).toEqual(refusal);
    }
  });

  it.each([
    ['a price that is no integer', workRequestSchema, { ...bid, price: '1.5' }],
    ['a negative price', workRequestSchema, { ...bid, price: '-1' }],
    ['a price of endless digits', workRequestSchema, { ...bid, price: '9'.repeat(31) }],
    ['an id that could be a path', workRequestSchema, { ...bid, auctionId: 'auction-../../x' }],
    ['an unknown type', workRequestSchema, { type: 'drop-table' }],
    ['a request of the other protocol', workRequestSchema, join],
    [
      'a debug enclave',
      nodeRequestSchema,
      { ...create, config: { memoryMb: 64, cpuCores: 1, allowDebug: true } },
    ],
    ['a time without zone', discoveryRequestSchema, { ...join, at: '2026-01-01T00:00:00' }],
    ['an unknown infrastructure type', discoveryRequestSchema, { ...join, infrastructureType: 'moon' }],
    ['a join without platforms', discoveryRequestSchema, { ...join, platforms: [] }],
  ])('refuse %s', (_name, schema, message) => {
    expect(schema.safeParse(message).success).toBe(false);
  });

  it.each([
    ['a region with U+0000', { ...join, region: 'a\0b' }],
    ['a region that turns the direction of writing', { ...join, region: 'eu\u202ewest' }],
    ['a region with half a surrogate pair', { ...join, region: '\ud800' }],
    ['an address with U+0000', { ...join, addresses: ['/ip4/127.0.0.1\0'] }],
    ['a machine beyond all measure', { ...join, tops: 1e300 }],
    ['a fraction of a second without end', { ...join, at: `2026-01-01T00:00:00.${'0'.repeat(40)}Z` }],
    ['a year that no database knows', { ...join, at: '0000-01-01T00:00:00Z' }],
  ])('a join with %s is refused', (_name, message) => {
    expect(discoveryRequestSchema.safeParse(message).success).toBe(false);
  });

  it('a refusal in broken words is an answer all the same: its words are mended', () => {
    const refusal = {
      type: 'refused',
      code: 'CONFLICT',
      message: `a\0b\ud800${'x'.repeat(5000)}`,
      errors: [{ field: 'x\0', rule: 'y\ud800' }],
    };
    for (const schema of [...Object.values(nodeReplySchemas), ...Object.values(engineReplySchemas)]) {
      expect(schema.parse(refusal)).toEqual({
        ...refusal,
        message: `a\ufffdb\ufffd${'x'.repeat(2044)}`,
        errors: [{ field: 'x\ufffd', rule: 'y\ufffd' }],
      });
    }
  });

  it('name field and rule of a bad price, never its value', () => {
    const result = workRequestSchema.safeParse({ ...bid, price: '98765.4' });
    expect(result.error?.issues).toMatchObject([{ path: ['price'] }]);
    expect(JSON.stringify(result.error?.issues)).not.toContain('98765');
  });
});
