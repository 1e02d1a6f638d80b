import { utf8ToBytes } from '@noble/hashes/utils.js';
import { canonicalJson } from '../json.ts';
import type { Micro } from '../money.ts';

export interface BidTerms {
  readonly auctionId: string;
  readonly price: Micro;
}

const DOMAIN = 'aivillage-bid-v1\n';

/** What a node signs of its bid: nothing else that it signs begins like this. */
export const signedBytesOfBid = ({ auctionId, price }: BidTerms): Uint8Array =>
  utf8ToBytes(DOMAIN + canonicalJson({ auctionId, price }));
