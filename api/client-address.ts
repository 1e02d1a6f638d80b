import { networkOf } from '../infra/rate-limits/network.ts';
import type { ApiContext } from './environment.ts';

/** The network of the peer: never a forwarded header, which anybody can write. */
export const clientNetwork = (c: ApiContext): string =>
  networkOf(c.env?.incoming?.socket.remoteAddress ?? 'in-process');
