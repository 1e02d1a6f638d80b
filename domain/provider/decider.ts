import type { Decider } from '../decider.ts';
import { decideProvider, type ProviderCommand } from './decide.ts';
import type { ProviderEvent } from './events.ts';
import { type ProviderState, providerFold } from './fold.ts';
import { movements } from './movements.ts';

export const providerDecider: Decider<ProviderState, ProviderCommand, ProviderEvent> = {
  ...providerFold,
  decide: decideProvider,
  movements,
};
