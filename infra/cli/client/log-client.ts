import { z } from 'zod';
import type { TileKey } from '../../tlog/tiles.ts';
import type { ExportAnchorText } from '../../verify/export/anchor-line.ts';
import type { Transport } from './transport.ts';

const size = z.string().regex(/^[1-9]\d{0,18}$/);

const checkpointSchema = z.object({
  checkpoint: z.string(),
  size,
  public_key: z.string(),
});

const anchorsSchema = z.object({
  items: z.array(
    z.object({
      chain: z.string(),
      simulated: z.boolean(),
      contract: z.string(),
      tx_hash: z.string(),
      block: z.string(),
      block_hash: z.string(),
      size,
      root: z.string(),
      confirmed_at: z.string(),
      evidence: z
        .object({
          header: z.string(),
          receipt_index: z.int(),
          receipt_path: z.array(z.string()),
          log_index: z.int(),
        })
        .nullable(),
    }) satisfies z.ZodType<ExportAnchorText>,
  ),
  next_from: size.nullable(),
});

/** Anchored heads of a log, smallest first. */
export interface AnchorPage {
  readonly anchors: readonly ExportAnchorText[];
  /** Size at which the next page begins; null at the end. */
  readonly next: bigint | null;
}

/** The signed head of a log as its server publishes it. */
export interface PublishedHead {
  readonly checkpoint: string;
  readonly size: bigint;
  readonly publicKey: string;
}

/** The part of the REST API that an auditor of the log uses. Every method throws CliError. */
export interface LogClient {
  head(): Promise<PublishedHead>;
  /** Anchored heads of `from` to `to` events: the first page of them. */
  anchors(from: bigint, to: bigint): Promise<AnchorPage>;
  /** Lines of events from a position on: at least one, at most `limit`. */
  entries(from: bigint, limit: number): Promise<Uint8Array>;
  /** The first `width` hashes of a tile. */
  tile(key: TileKey, width: number): Promise<Uint8Array>;
}

const TIMEOUT_MS = 120_000;

export const createLogClient = (transport: Transport): LogClient => ({
  head: async () => {
    const {
      checkpoint,
      size: leaves,
      public_key,
    } = await transport.json({ method: 'GET', path: '/v1/log/checkpoint' }, checkpointSchema);
    return { checkpoint, size: BigInt(leaves), publicKey: public_key };
  },
  anchors: async (from, to) => {
    const { items, next_from } = await transport.json(
      { method: 'GET', path: `/v1/log/anchors?from=${from}&to=${to}&limit=500` },
      anchorsSchema,
    );
    return { anchors: items, next: next_from === null ? null : BigInt(next_from) };
  },
  entries: (from, limit) =>
    transport.bytes({
      method: 'GET',
      path: `/v1/log/entries?from=${from}&limit=${limit}`,
      timeoutMs: TIMEOUT_MS,
    }),
  tile: ({ level, index }, width) =>
    transport.bytes({ method: 'GET', path: `/v1/log/tile/${level}/${index}?width=${width}` }),
});
