import { auctions } from './queries.ts';

export const projection = auctions;
