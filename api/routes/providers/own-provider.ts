import { type Rejection, reject } from '../../../domain/errors.ts';
import type { ProviderState } from '../../../domain/provider/fold.ts';

/** Who asks about a provider of somebody else is told of none. */
export const notOf = (caller: string, providerId: string, provider: ProviderState): Rejection | null =>
  provider?.owner === caller
    ? null
    : reject('RESOURCE_NOT_FOUND', `no provider ${providerId}`, [
        { field: 'provider_id', rule: 'a provider of yours' },
      ]);
