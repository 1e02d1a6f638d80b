import { inject } from 'vitest';
import { type LocalStack, readLocalStack } from '../../../infra/config/local-stack.ts';
import { demand } from '../../support/on-demand.ts';

export interface SharedStack {
  readonly home: string;
  readonly apiUrl: string;
  /** The operator's key of `credentials.json`. */
  readonly apiKey: string;
}

/** The stack that e2e files share; the first call of a run starts it. */
export const sharedStack = (): Promise<SharedStack> => demand(inject('stackPort'));

/** Addresses of the servers behind the API, for what only somebody at the machine can see or do. */
export const serversOf = (home: string): LocalStack => {
  const servers = readLocalStack(home);
  if (!servers) throw new Error(`${home} holds no local stack`);
  return servers;
};
