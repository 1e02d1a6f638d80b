import { z } from 'zod';
import type { TileKey } from '../../tlog/tiles.ts';
import type { Transport } from './transport.ts';

const checkpointSchema = z.object({
  checkpoint: z.string(),
  size: z.string().regex(/^[1-9]\d{0,18}$/),
  public_key: z.string(),
});

/** The signed head of a log as its server publishes it. */
export interface PublishedHead {
  readonly checkpoint: string;
  readonly size: bigint;
  readonly publicKey: string;
}

/** The part of the REST API that an auditor of the log uses. Every method throws CliError. */
export interface LogClient {
  head(): Promise<PublishedHead>;
  /** Lines of events from a position on: at least one, at most `limit`. */
  entries(from: bigint, limit: number): Promise<Uint8Array>;
  /** The first `width` hashes of a tile. */
  tile(key: TileKey, width: number): Promise<Uint8Array>;
}

const TIMEOUT_MS = 120_000;

export const createLogClient = (transport: Transport): LogClient => ({
  head: async () => {
    const { checkpoint, size, public_key } = await transport.json(
      { method: 'GET', path: '/v1/log/checkpoint' },
      checkpointSchema,
    );
    return { checkpoint, size: BigInt(size), publicKey: public_key };
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
