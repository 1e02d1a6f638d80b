import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { addZkCredential } from './zk-credential.ts';
import { addZkProve } from './zk-prove.ts';
import { addZkRequest } from './zk-request.ts';
import { addZkVerify } from './zk-verify.ts';

/** Zero-knowledge predicates: the verifier asks, the holder proves at home, the engine verifies. */
export const addZk = (program: Command, context: CliContext): void => {
  const zk = program.command('zk').description('prove facts about a credential without showing it');
  addZkCredential(zk, context);
  addZkRequest(zk, context);
  addZkProve(zk, context);
  addZkVerify(zk, context);
};
