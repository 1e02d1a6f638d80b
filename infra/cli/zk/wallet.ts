import type { Result } from '../../../domain/errors.ts';
import { createWallet, type Wallet } from '../../zk/prove.ts';
import { ToolError, withTools } from '../../zk/tool-process.ts';
import { CliError, refuse } from '../failure.ts';

/** Does `work` with a wallet in a process of its own, which ends with it. */
export const withWallet = async <T>(work: (wallet: Wallet) => Promise<T>): Promise<T> => {
  try {
    return await withTools((tools) => work(createWallet(tools)));
  } catch (error) {
    if (error instanceof ToolError) throw new CliError(error.message);
    throw error;
  }
};

/** The value of a result. @throws CliError with every field and its rule */
export const accepted = <T>(result: Result<T>): T => {
  if (result.ok) return result.value;
  const rules = (result.errors ?? []).map(({ field, rule }) => `  ${field}: ${rule}`);
  throw refuse([result.message, ...rules].join('\n'));
};
