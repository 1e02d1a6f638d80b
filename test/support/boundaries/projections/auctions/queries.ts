import { projection } from './projection.ts';

export const auctions: unknown = () => projection;
