import { createHash } from 'node:crypto';
import { ulidFrom } from '../../domain/ids.ts';

/** A provider has one bid in an auction, so its id derives from both and a retry meets the same bid. */
export const bidIdOf = (auctionId: string, providerId: string): string =>
  `bid-${ulidFrom(createHash('sha256').update(`${auctionId}|${providerId}`).digest())}`;
