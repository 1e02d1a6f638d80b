import { projection } from '../projections/auctions/projection.ts';
import { auctions } from '../projections/auctions/queries.ts';

export const app = [projection, auctions];
