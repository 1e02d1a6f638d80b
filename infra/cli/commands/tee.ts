import type { Command } from 'commander';
import { detectHardware } from '../../tee/index.ts';
import type { CliContext } from '../context.ts';
import { addTeePlatforms } from './tee-platforms.ts';
import { addTeeQuote } from './tee-quote.ts';
import { addTeeVerify } from './tee-verify.ts';

/** Attestation at hand: evidence from files, and the devices of this machine. */
export const addTee = (program: Command, context: CliContext): void => {
  const tee = program.command('tee').description('verify attestation evidence, and get it from this machine');
  addTeeVerify(tee, context);
  addTeePlatforms(tee, context, detectHardware);
  addTeeQuote(tee, context, detectHardware);
};
