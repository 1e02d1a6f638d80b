import { reject } from '../../../domain/errors.ts';
import type { CommandCaller } from '../../../infra/journal/handle-command.ts';
import type { ProviderOutcome, Providers } from '../../../infra/providers/providers.ts';
import type { RequestContext } from '../../define-route.ts';

/** Has its owner command a provider. Who asks about a provider of somebody else is told of none. */
export const asOwner = async (
  providers: Pick<Providers, 'find'>,
  { principal, commandId, traceparent }: Pick<RequestContext, 'principal' | 'commandId' | 'traceparent'>,
  providerId: string,
  command: (caller: CommandCaller) => Promise<ProviderOutcome>,
): Promise<ProviderOutcome> => {
  const provider = await providers.find(providerId);
  if (provider?.owner !== principal.id)
    return reject('RESOURCE_NOT_FOUND', `no provider ${providerId}`, [
      { field: 'provider_id', rule: 'a provider of yours' },
    ]);
  return command({ actor: principal.id, commandId, traceparent });
};
