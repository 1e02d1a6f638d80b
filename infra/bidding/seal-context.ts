/** What a sealed price is bound to: a box moved to another auction or bid does not open. */
export const sealContext = (auctionId: string, bidId: string): string => `${auctionId}|${bidId}`;
